#!/usr/bin/env python3
"""Records token streams of real rsync for the tests of src/compress: writes tokens.json beside itself.

Two files travel with --write-batch, one as a delta against an old copy, one whole; the token streams are cut out of
the batch file by their framing. Needs rsync (the vectors in use were made with 3.5.0). Run: python3 make.py
"""
import base64, json, os, struct, subprocess, tempfile


def noise(count, seed):
    """The generator of token.test.ts: an LCG's high byte."""
    out = bytearray()
    for _ in range(count):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        out.append((seed >> 16) & 0xFF)
    return bytes(out)


def text(count, seed):
    return bytes(97 + (b & 7) if b & 0xF0 else 10 for b in noise(count, seed))


OLD = text(20000, 7)
NEW = b"a new beginning, " * 9 + OLD[:7000] + noise(900, 3) + OLD[7000:9100] + OLD[14000:] + text(300, 5)
WHOLE = text(5000, 11) + noise(200, 13)


def compressed_end(data, at):
    """The offset behind the end flag of a compressed token stream that starts at `at`."""
    while True:
        flag = data[at]
        if flag & 0xC0 == 0x40:
            at += 2 + ((flag & 0x3F) << 8) + data[at + 1]
        elif flag == 0:
            return at + 1
        elif flag & 0x80:
            at += 3 if flag & 0x40 else 1
        else:
            at += 7 if flag & 1 else 5


def plain_end(data, at):
    while True:
        (token,) = struct.unpack_from("<i", data, at)
        at += 4
        if token == 0:
            return at
        if token > 0:
            at += token


def record(name, protocol):
    with tempfile.TemporaryDirectory() as top:
        for part in ("src", "dst"):
            os.mkdir(f"{top}/{part}")
        for path, body in (("src/a", NEW), ("dst/a", OLD), ("src/b", WHOLE)):
            with open(f"{top}/{path}", "wb") as file:
                file.write(body)
        # Through a stand-in for ssh, since a local server takes part in the batch and then refuses most choices.
        with open(f"{top}/rsh", "w") as file:
            file.write('#!/bin/sh\nshift\nexec "$@"\n')
        os.chmod(f"{top}/rsh", 0o755)
        args = ["rsync", "-rI", f"--rsh={top}/rsh", "--no-whole-file", "--block-size=700", f"--write-batch={top}/batch",
                f"--protocol={protocol}"]
        if name != "none":
            args += ["-z", f"--compress-choice={name}"]
        subprocess.run(args + [f"{top}/src/", f"host:{top}/dst/"], check=True)
        data = open(f"{top}/batch", "rb").read()
    end = plain_end if name == "none" else compressed_end
    streams = []
    at = 0
    for head in (struct.pack("<ii", (len(OLD) + 699) // 700, 700), bytes(16)):
        at = data.index(head, at) + 16
        stop = end(data, at)
        streams.append(base64.b64encode(data[at:stop]).decode())
        at = stop
    return streams


if __name__ == "__main__":
    cases = []
    for name, protocol in (("none", 31), ("zlib", 31), ("zlib", 30), ("zlibx", 31), ("zstd", 31), ("lz4", 31)):
        cases.append({"compress": name, "version": protocol, "streams": record(name, protocol)})
    version = subprocess.run(["rsync", "--version"], capture_output=True, text=True).stdout.split("\n")[0]
    out = {"origin": f"make.py beside this file, with {version}", "cases": cases}
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "tokens.json"), "w") as file:
        json.dump(out, file, indent=1)
        file.write("\n")
