/*
 * Makes xxhash.json from libxxhash (made with 0.8.1): cc xxhash.c -lxxhash -o xxhash && ./xxhash > xxhash.json
 *
 * Input and seeds are those of xxHash's own sanity check (tests/sanity_test.c of Cyan4973/xxHash): byte i is the top
 * byte of 2654435761 * 11400714785074694797^i mod 2^64; each length runs with seed 0 and with a second seed.
 * Rows: [length, xxh64 seed 0, xxh64 seed 2654435761, xxh3 seed 0, xxh3 seed 2, xxh128 seed 0, xxh128 seed 2], where
 * seed 2 is 11400714785074694797; the digests are numbers in hexadecimal, xxh128 high half first.
 */
#include <stdio.h>
#include <xxhash.h>

static unsigned char data[20000];

static void row(size_t length)
{
	const XXH64_hash_t seed = 11400714785074694797ULL;
	XXH128_hash_t plain = XXH3_128bits(data, length), seeded = XXH3_128bits_withSeed(data, length, seed);
	printf("[%zu,\"%016llx\",\"%016llx\",\"%016llx\",\"%016llx\",\"%016llx%016llx\",\"%016llx%016llx\"]", length,
		(unsigned long long)XXH64(data, length, 0), (unsigned long long)XXH64(data, length, 2654435761U),
		(unsigned long long)XXH3_64bits(data, length), (unsigned long long)XXH3_64bits_withSeed(data, length, seed),
		(unsigned long long)plain.high64, (unsigned long long)plain.low64,
		(unsigned long long)seeded.high64, (unsigned long long)seeded.low64);
}

int main(void)
{
	static const size_t more[] = { 320, 403, 511, 512, 513, 1023, 1024, 1025, 1088, 1089, 2047, 2048, 2049, 2099,
		2240, 2367, 4096, 10000, 19999 };
	unsigned long long gen = 2654435761U;
	for (size_t i = 0; i < sizeof data; i++, gen *= 11400714785074694797ULL)
		data[i] = gen >> 56;
	printf("[\n");
	for (size_t length = 0; length <= 260; length++, printf(",\n"))
		row(length);
	for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
		row(more[i]);
		printf(i + 1 < sizeof more / sizeof more[0] ? ",\n" : "\n]\n");
	}
	return 0;
}
