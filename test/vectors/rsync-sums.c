/*
 * Makes rsync-sums.json: block, whole-file and --checksum sums as rsync's own checksum.c computes them.
 *
 * Needs a configured and built rsync 3.5.0 tree in $RSYNC:
 *   cc -I$RSYNC -I$RSYNC/lib rsync-sums.c $RSYNC/checksum.o $RSYNC/simd-checksum-x86_64.o $RSYNC/lib/md5.o \
 *      $RSYNC/lib/mdfour.o -lcrypto -lxxhash -o rsync-sums && ./rsync-sums > rsync-sums.json
 * (leave simd-checksum-x86_64.o out where the build has none).
 *
 * Byte i of the data is the top byte of (i + 1)^2 * 2654435761 mod 2^32.
 */
#include "rsync.h"

int am_server, whole_file, protocol_version = 32, proper_seed_order = 1, checksum_seed;
short debug_levels[COUNT_DEBUG];
const char *checksum_choice;
extern struct name_num_item *xfer_sum_nni, *file_sum_nni;
extern int xfer_sum_len, file_sum_len;
extern const EVP_MD *xfer_sum_evp_md, *file_sum_evp_md;
static char data[70000];

void _exit_cleanup(int code, const char *file, int line) { fprintf(stderr, "%s:%d\n", file, line); exit(code); }
void _out_of_memory(const char *msg, const char *file, int line) { (void)msg; _exit_cleanup(22, file, line); }
void rprintf(enum logcode code, const char *format, ...) { (void)code; (void)format; }
void *my_alloc(void *ptr, size_t num, size_t size, const char *file, int line)
{ (void)ptr; (void)file; (void)line; return malloc(num * size); }
struct name_num_item *get_nni_by_name(struct name_num_obj *nno, const char *name, int len)
{ (void)nno; (void)name; (void)len; return NULL; }
struct name_num_item *get_nni_by_num(struct name_num_obj *nno, int num) { (void)nno; (void)num; return NULL; }
void validate_choice_vs_env(int ntype, int num1, int num2) { (void)ntype; (void)num1; (void)num2; }
int do_open_checklinks(const char *pathname) { (void)pathname; return 99; }
struct map_struct *map_file(int fd, OFF_T len, int32 read_size, int32 blk_size)
{ (void)fd; (void)len; (void)read_size; (void)blk_size; return (struct map_struct *)data; }
char *map_ptr(struct map_struct *map, OFF_T offset, int32 len) { (void)map; (void)len; return data + offset; }
int unmap_file(struct map_struct *map) { (void)map; return 0; }

static void hex(const char *sum, int len)
{
	for (int i = 0; i < len; i++)
		printf("%02x", (unsigned char)sum[i]);
}

static void emit(struct name_num_item *nni, const char *name, int version, int proper, int seed, int len)
{
	static int count;
	char sum[64];
	STRUCT_STAT st;
	protocol_version = version;
	proper_seed_order = proper;
	checksum_seed = seed;
	xfer_sum_nni = file_sum_nni = nni;
	xfer_sum_len = file_sum_len = csum_len_for_type(nni->num, 0);
	xfer_sum_evp_md = file_sum_evp_md = nni->num == CSUM_SHA1 ? EVP_sha1() : NULL;
	printf("%s[\"%s\",%d,%d,%d,%u,\"", count++ ? ",\n" : "", name, proper, seed, len, get_checksum1(data, len));
	get_checksum2(data, len, sum);
	hex(sum, xfer_sum_len);
	printf("\",\"");
	sum_init(nni, seed);
	sum_update(data, len / 3);
	sum_update(data + len / 3, len - len / 3);
	sum_end(sum);
	hex(sum, xfer_sum_len);
	printf("\",\"");
	st.st_size = len;
	file_checksum("", &st, sum);
	hex(sum, file_sum_len);
	printf("\"]");
}

int main(int argc, char **argv)
{
	(void)argc, (void)argv;
	static const struct { const char *name; int num, version, proper; } kinds[] = {
		{ "md4-archaic", CSUM_MD4_ARCHAIC, 20, 0 }, { "md4-busted", CSUM_MD4_BUSTED, 26, 0 },
		{ "md4-old", CSUM_MD4_OLD, 29, 0 }, { "md4", CSUM_MD4, 32, 1 }, { "md5", CSUM_MD5, 30, 0 },
		{ "md5", CSUM_MD5, 32, 1 }, { "xxh64", CSUM_XXH64, 32, 1 }, { "xxh3", CSUM_XXH3_64, 32, 1 },
		{ "xxh128", CSUM_XXH3_128, 32, 1 }, { "sha1", CSUM_SHA1, 32, 1 },
	};
	static const int lengths[] = { 0, 1, 4, 16, 55, 56, 59, 60, 61, 64, 119, 124, 128, 240, 241, 700, 1024, 66000 };
	static const int seeds[] = { 0, 12345, -2 };
	for (unsigned i = 0; i < sizeof data; i++)
		data[i] = (i + 1u) * (i + 1u) * 2654435761u >> 24;
	printf("[\n");
	for (unsigned k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
		for (unsigned s = 0; s < 3; s++)
			for (unsigned l = 0; l < sizeof lengths / sizeof lengths[0]; l++) {
				struct name_num_item nni = { kinds[k].num, kinds[k].num == CSUM_SHA1 ? 2 : 1, kinds[k].name, NULL };
				emit(&nni, kinds[k].name, kinds[k].version, kinds[k].proper, seeds[s], lengths[l]);
			}
	printf("\n]\n");
	return 0;
}
