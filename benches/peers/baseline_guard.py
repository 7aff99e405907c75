#!/usr/bin/env python3
"""The guard that a team would write as a script: PyYAML, hashlib, and Git as a subprocess.

It does three things, and tells every fault it finds:
  1. parse every handoff record, .orch/tasks/MONTH/TASK/NNNN-handoff.yaml, at --head, and look for its fields
  2. for every artifact it lists: the file is there at --head, and has the recorded SHA-256
  3. every file changed from --base to --head (or staged, with --staged) is a record, in a glob of --lane in
     .orch/policy.yaml, or shared

  --reader show      one `git show HEAD:path` for each record and each artifact (what most first versions do)
  --reader worktree  open(): the working tree, not the commit                   (quick and inexact: the usual second one)
  --reader batch     one `git cat-file --batch`, digests kept by path           (what a careful author ends with)
  --reader fast      ls-tree once, then blobs by id, pipelined                  (the best that Python does easily)
  --loader           safe: yaml.safe_load; csafe: libyaml's
  --only-changed     the records that were changed, not all of them
Exit code 1: a fault was found.
"""
import argparse
import fnmatch
import glob
import hashlib
import re
import subprocess
import sys
import threading

import yaml

FIELDS = {"from", "to", "task_id", "stage", "run_id", "status", "artifacts"}
RECORD = re.compile(r"\.orch/tasks/.+/\d{4}-handoff\.yaml$")


def git(*args):
    return subprocess.run(["git", *args], check=True, capture_output=True).stdout


def split(output):
    return [part.decode() for part in output.split(b"\0") if part]


class Show:
    def __init__(self, rev):
        self.rev = rev

    def read(self, path):
        done = subprocess.run(["git", "show", f"{self.rev}:{path}"], capture_output=True)
        return done.stdout if done.returncode == 0 else None


class Worktree:
    def __init__(self, rev):
        pass

    def read(self, path):
        try:
            with open(path, "rb") as file:
                return file.read()
        except OSError:
            return None


class Batch:
    def __init__(self, rev):
        self.rev = rev
        pipe = subprocess.PIPE
        self.git = subprocess.Popen(["git", "cat-file", "--batch"], stdin=pipe, stdout=pipe)

    def read(self, path):
        self.git.stdin.write(f"{self.rev}:{path}\n".encode())
        self.git.stdin.flush()
        head = self.git.stdout.readline().split()
        if head[-1] == b"missing":
            return None
        text = self.git.stdout.read(int(head[2]))
        self.git.stdout.read(1)
        return text


class Fast:
    """ls-tree once; then each distinct blob once, by its id, through one `git cat-file --batch --buffer`."""

    def __init__(self, rev):
        output = git("ls-tree", "-r", "-z", rev) if rev else git("ls-files", "-s", "-z")
        self.ids = {}
        for row in output.split(b"\0"):
            if row:
                meta, path = row.split(b"\t", 1)
                self.ids[path.decode()] = meta.split()[2 if rev else 1]

    def many(self, ids):
        pipe = subprocess.PIPE
        command = ["git", "cat-file", "--batch", "--buffer"]
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, bufsize=1 << 20)

        def ask():
            process.stdin.write(b"".join(id + b"\n" for id in ids))
            process.stdin.close()

        asking = threading.Thread(target=ask)
        asking.start()
        for id in ids:
            length = int(process.stdout.readline().split()[2])
            yield id, process.stdout.read(length + 1)[:-1]
        asking.join()
        process.wait()

    def read(self, path):
        id = self.ids.get(path)
        return None if id is None else dict(self.many([id]))[id]


READERS = {"show": Show, "worktree": Worktree, "batch": Batch, "fast": Fast}


def options():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--base", default="main")
    parser.add_argument("--head", default="HEAD")
    parser.add_argument("--staged", action="store_true")
    parser.add_argument("--lane", default="A")
    parser.add_argument("--reader", choices=READERS, default="worktree")
    parser.add_argument("--loader", choices=["safe", "csafe"], default="safe")
    parser.add_argument("--only-changed", action="store_true")
    return parser.parse_args()


def records_of(asked, changed):
    if asked.only_changed:
        return [path for path in changed if RECORD.match(path)]
    if asked.reader == "worktree":
        return sorted(glob.glob(".orch/tasks/*/*/*-handoff.yaml"))
    listing = ["ls-files", "-z"] if asked.staged else ["ls-tree", "-r", "-z", "--name-only", asked.head]
    return [path for path in split(git(*listing, ".orch/tasks")) if RECORD.match(path)]


def main():
    asked = options()
    loader = yaml.SafeLoader if asked.loader == "safe" else yaml.CSafeLoader
    rev = "" if asked.staged else asked.head  # `:path` is the index
    reader = READERS[asked.reader](rev)
    range = ["--cached"] if asked.staged else [f"{asked.base}...{asked.head}"]
    changed = split(git("diff", "--name-only", "-z", *range))
    records = records_of(asked, changed)
    faults, listed, texts, sums = [], 0, {}, {}
    if asked.reader == "fast":
        texts = dict(reader.many(list({reader.ids[path] for path in records if path in reader.ids})))
        wanted = set()  # a cheap scan for what will be asked for; the parser below decides
        for text in texts.values():
            for found in re.finditer(rb"^      path: (\S+)$", text, re.M):
                wanted.add(reader.ids.get(found[1].decode()))
        wanted.discard(None)
        sums = {id: hashlib.sha256(text).hexdigest() for id, text in reader.many(list(wanted))}

    def digest(path):
        key = reader.ids.get(path) if asked.reader == "fast" else path
        if key is None:
            return None
        if asked.reader in ("fast", "batch") and key in sums:
            return sums[key]
        text = reader.read(path)
        sums[key] = None if text is None else hashlib.sha256(text).hexdigest()
        return sums[key]

    for record in records:
        text = texts.get(reader.ids.get(record)) if asked.reader == "fast" else reader.read(record)
        if text is None:  # the change removes it
            faults.append(f"{record}: removed")
            continue
        try:
            handoff = yaml.load(text, Loader=loader)["handoff"]
        except (yaml.YAMLError, KeyError, TypeError) as error:
            faults.append(f"{record}: no handoff: {error}")
            continue
        lacking = FIELDS - handoff.keys()
        if lacking:
            faults.append(f"{record}: lacks {sorted(lacking)}")
            continue
        for artifact in handoff["artifacts"]:
            listed += 1
            found = digest(artifact["path"])
            if found is None:
                faults.append(f"{record}: {artifact['path']}: missing")
            elif f"sha256:{found}" != artifact["checksum"]:
                faults.append(f"{record}: {artifact['path']}: its checksum is {found}")

    policy = yaml.load(reader.read(".orch/policy.yaml"), Loader=loader)
    globs = [".orch/tasks/**", *policy["lanes"][asked.lane]["owns"], *policy["shared_paths"]]
    globs = [pattern.replace("**", "*") for pattern in globs]
    for path in changed:
        if not any(fnmatch.fnmatchcase(path, pattern) for pattern in globs):
            faults.append(f"{path}: outside lane {asked.lane}")
    for fault in faults:
        print(fault)
    print(f"records={len(records)} artifacts={listed} changed={len(changed)} faults={len(faults)}")
    sys.exit(1 if faults else 0)


main()
