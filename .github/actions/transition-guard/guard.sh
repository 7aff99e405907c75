#!/usr/bin/env bash
# Judges what a workflow runs for: finds orch, fetches what is missing, judges, and tells in all forms that GitHub
# reads. All it is told comes through the environment; action.yml says from where. Runs on the bash of macOS, too.
set -euo pipefail

# Only Git gets the token, while it fetches, and gh, to verify an attestation.
token=${TOKEN:-}
unset TOKEN
zero=0000000000000000000000000000000000000000
# What GitHub is to hear of gets out of a command's substitution, too.
exec 3>&1

# Keeps what later steps may ask for.
output() { printf '%s=%s\n' "$1" "$2" >> "${GITHUB_OUTPUT:-/dev/null}"; }

# Tells GitHub of an error: a title, and words of one line or several.
annotate() {
  local said=${2//'%'/%25}
  said=${said//$'\r'/%0D}
  printf '::error title=%s::%s\n' "$1" "${said//$'\n'/%0A}" >&3
}

# Tells that nothing could be judged, and why; ends as orch itself does then.
fault() {
  annotate 'orch could not look' "$1"
  if [ -n "$scratch" ]; then true > "$scratch/fault"; fi
  output verdict fault || true
  exit 2
}

# Cleans up. What stopped this script before it could tell a verdict is no refusal, and is not kept quiet.
leave() {
  local code=$?
  if [ -z "$verdict" ] && [ ! -e "$scratch/fault" ]; then
    annotate 'orch could not look' 'guard.sh stopped before it had judged; why stands in the log of this step'
    output verdict fault || true
    code=2
  fi
  if [ -n "$scratch" ]; then rm -rf "$scratch"; fi
  exit "$code"
}

scratch='' verdict=''
trap leave EXIT
scratch=$(mktemp -d)

# Makes sure that all is there that action.yml hands over, some of it empty, and that answers find a place.
take_surroundings() {
  local name missing='' file
  for name in EVENT REF COMMIT DEFAULT_BRANCH PR_TARGET PR_TO PR_HEAD PR_BRANCH PR_FROM QUEUE_BASE QUEUE_HEAD \
    QUEUE_TARGET PUSH_BEFORE PUSH_AFTER; do
    if [ -z "${!name+set}" ]; then missing="$missing $name"; fi
  done
  [ -z "$missing" ] || fault "not set in the environment:$missing; run this as action.yml does, which sets them all"
  for name in GITHUB_OUTPUT GITHUB_STEP_SUMMARY; do
    file=${!name:-/dev/null}
    true >> "$file" || fault "$name names a file that can't be written: $file"
  done
}

# --- orch -----------------------------------------------------------------------------------------------------

# Finds the orch that is asked for, or gets it.
find_orch() {
  local root="${RUNNER_TEMP:-$scratch}/orch" own="${GITHUB_ACTION_PATH:-.}/../../.." from rev
  orch=$(command -v orch || true)
  if [ -n "$orch" ] && is_asked_for; then return; fi
  orch="$root/bin/orch"
  case "${SOURCE:-}" in
    *@*)
      from=$(address "${SOURCE%@*}")
      rev=${SOURCE##*@}
      is_commit "$rev" || fault 'the source names no commit by all its digits, and what has another name may change'
      build --git "$from" --rev "$rev" orch
      ;;
    ?*) download "$root/bin" ;;
    *)
      # What lies in the checkout is what is to be judged, and judges nothing.
      { grep -qs '^name = "orch"' "$own/Cargo.toml" && ! is_in_checkout "$own"; } ||
        fault "there is no orch${VERSION:+ $VERSION} on this runner; install it there, or name its \`source\`"
      build --path "$own"
      ;;
  esac
  is_asked_for || fault "this is $("$orch" --version), and orch $VERSION was asked for"
}

is_in_checkout() {
  local here top
  here=$(cd "$1" && pwd -P)
  top=$(cd "${GITHUB_WORKSPACE:-.}" && pwd -P)
  case "$here/" in "$top"/*) return 0 ;; *) return 1 ;; esac
}

is_asked_for() { [ -z "${VERSION:-}" ] || [ "$("$orch" --version)" = "orch $VERSION" ]; }

# Builds apart: what other builds left behind on this machine is not taken for this one.
build() {
  command -v cargo > /dev/null || fault 'orch is built from its source, and there is no cargo on this runner'
  CARGO_TARGET_DIR="$scratch/target" cargo install --locked --root "${orch%/bin/orch}" "$@" >&2 || fault 'orch could not be built'
}

address() {
  case "$1" in
    *://*) printf '%s' "$1" ;;
    *) printf '%s/%s' "${GITHUB_SERVER_URL:-https://github.com}" "$1" ;;
  esac
}

is_commit() { [[ "$1" =~ ^([0-9a-f]{40}|[0-9a-f]{64})$ && "$1" != "${zero:0:40}"* ]]; }

# Downloads a release, and takes it only if it is what was released.
download() {
  local archive name releases expected
  [ -n "${VERSION:-}" ] || fault 'the source names no commit; name the version to take of its releases'
  name="orch-$(target)"
  archive="$name.tar.gz"
  releases="$(address "$SOURCE")/releases/download/v$VERSION"
  for file in "$archive" SHA256SUMS; do
    curl --fail --silent --show-error --location --retry 3 --output "$scratch/$file" "$releases/$file" ||
      fault "$releases/$file could not be downloaded"
  done
  expected=$(awk -v name="$archive" '$2 == name || $2 == "*" name {print $1}' "$scratch/SHA256SUMS")
  for sum in "$expected" "${SHA256:-$expected}"; do
    [ "$(digest "$scratch/$archive")" = "$sum" ] || fault "$archive is not what was released: its checksum differs"
  done
  attested "$scratch/$archive"
  mkdir -p "$1"
  tar -xzf "$scratch/$archive" -C "$scratch"
  cp "$scratch/$name/orch"* "$1/"
}

# Asks GitHub whether that repository's own workflow built the archive; other servers attest nothing.
attested() {
  local from
  from=$(address "$SOURCE")
  from=${from#https://github.com/}
  case "$from" in *://*) return ;; esac
  command -v gh > /dev/null || fault 'where a release was built is verified by gh, which this runner lacks'
  GH_TOKEN=$token gh attestation verify "$1" --repo "$from" >&2 ||
    fault "nobody attests that ${1##*/} was built by $from"
}

digest() {
  if command -v sha256sum > /dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

target() {
  case "${RUNNER_OS:-}-${RUNNER_ARCH:-}" in
    Linux-X64) echo x86_64-unknown-linux-musl ;;
    Linux-ARM64) echo aarch64-unknown-linux-musl ;;
    macOS-X64) echo x86_64-apple-darwin ;;
    macOS-ARM64) echo aarch64-apple-darwin ;;
    Windows-X64) echo x86_64-pc-windows-msvc ;;
    *) fault "nothing is released for ${RUNNER_OS:-this system} on ${RUNNER_ARCH:-this machine}" ;;
  esac
}

# --- Git ------------------------------------------------------------------------------------------------------

# Runs a Git that talks to the remote: with the token, unless the checkout left one behind. It stands in no
# command line, where others could read it.
remote() (
  if [ -n "$token" ] && ! git config --get-regexp '^http\..*\.extraheader$' > /dev/null; then
    local count=${GIT_CONFIG_COUNT:-0} word
    word=$(printf 'x-access-token:%s' "$token" | base64 | tr -d '\n')
    export GIT_CONFIG_COUNT=$((count + 1))
    export "GIT_CONFIG_KEY_$count=http.${GITHUB_SERVER_URL:-https://github.com}/.extraheader"
    export "GIT_CONFIG_VALUE_$count=AUTHORIZATION: basic $word"
  fi
  GIT_TERMINAL_PROMPT=0 git "$@"
)

is_shallow() { [ "$(git rev-parse --is-shallow-repository)" = true ]; }

fetch() { remote fetch --quiet --no-tags --no-recurse-submodules "$@"; }

# Fetches commits, or branches, as far back as a shallow clone wants to begin with.
bring() {
  if is_shallow; then set -- --depth=50 origin "$@"; else set -- origin "$@"; fi
  fetch "$@" || fault "the remote does not give ${*: -1}"
}

bring_commit() {
  is_commit "$1" || fault "GitHub named no commit, but \`$1\`"
  git cat-file -e "$1^{commit}" 2> /dev/null || bring "$1"
}

# Fetches a branch as it stands now: what has landed since the event counts as well.
bring_branch() {
  [ -n "$1" ] || fault 'GitHub did not say which branch this goes to'
  bring "+refs/heads/$1:refs/remotes/origin/$1"
}

# Deepens a shallow clone until the two commits that are wanted meet in it.
deepen() {
  for more in 200 1000 5000; do
    if ! is_shallow || git merge-base "${wanted[@]}" > /dev/null; then return; fi
    fetch --deepen="$more" origin "${wanted[@]}" || break
  done
  deepen_wholly
}

deepen_wholly() {
  if is_shallow; then
    fetch --unshallow origin "${wanted[@]}" || fault 'the remote does not give its whole history'
  fi
}

# --- What is judged ---------------------------------------------------------------------------------------------

# Sets `judge` to how the guard is called, and `verify` to how the record is replayed; nothing is left out silently.
take_event() {
  judge=() verify=()
  case "$EVENT" in
    pull_request) take_pull_request ;;
    merge_group)
      bring_commit "$QUEUE_BASE"
      bring_commit "$QUEUE_HEAD"
      [ -n "${QUEUE_TARGET#refs/heads/}" ] || fault 'GitHub did not say which branch this group goes to'
      take_range "$QUEUE_BASE" "$QUEUE_HEAD" "${QUEUE_TARGET#refs/heads/}"
      ;;
    push) take_push ;;
    schedule | workflow_dispatch | repository_dispatch) take_whole "$COMMIT" ;;
    pull_request_target)
      fault 'a job on pull_request_target holds rights that no change from elsewhere may use: run it on pull_request'
      ;;
    *) fault "orch does not know what to judge on \`$EVENT\`" ;;
  esac
}

take_pull_request() {
  bring_branch "$PR_TARGET"
  bring_commit "$PR_HEAD"
  take_range "refs/remotes/origin/$PR_TARGET" "$PR_HEAD" "$PR_BRANCH"
  # A fork that is gone names no repository.
  if [ "$PR_FROM" != "$PR_TO" ]; then judge+=(--fork); fi
}

# What has been pushed is judged from where the branch stood. A branch that nothing protects is work under way,
# and is judged against the default one, as its pull request will be.
take_push() {
  local branch=${REF#refs/heads/} protected=${PROTECTED:-false}
  if [ "$branch" = "$DEFAULT_BRANCH" ]; then protected=true; fi
  if [ "$branch" = "$REF" ]; then
    take_whole "$PUSH_AFTER"
  elif [ "${PUSH_AFTER:0:40}" = "$zero" ]; then
    [ "$protected" = false ] || refuse "the protected branch $branch was deleted"
    finish 0 "orch: $branch was deleted, and leaves nothing to judge"
  elif [ "$protected" = false ]; then
    bring_branch "$DEFAULT_BRANCH"
    bring_commit "$PUSH_AFTER"
    take_range "refs/remotes/origin/$DEFAULT_BRANCH" "$PUSH_AFTER" "$branch"
  elif [ "${PUSH_BEFORE:0:40}" = "$zero" ]; then
    take_whole "$PUSH_AFTER"
  else
    bring_commit "$PUSH_BEFORE"
    bring_commit "$PUSH_AFTER"
    # Who pushed here could; what is asked is whether the record holds.
    BOOTSTRAP=true
    take_range "$PUSH_BEFORE" "$PUSH_AFTER" "$branch"
    verify=(verify --anchor="$PUSH_BEFORE" "$PUSH_AFTER")
  fi
}

take_range() {
  wanted=("$(git rev-parse "$1")" "$2")
  deepen
  judge=(guard --base="$1" --head="$2" --branch="$3")
  if [ "${BOOTSTRAP:-}" = true ]; then judge+=(--bootstrap); fi
  if [ "${REQUIRE:-}" = true ]; then judge+=(--require); fi
}

take_whole() {
  bring_commit "$1"
  wanted=("$1")
  deepen_wholly
  verify=(verify "$1")
}

# --- Telling ----------------------------------------------------------------------------------------------------

# Runs orch; where a clone was too shallow for it to look, once more with all of history.
run_orch() {
  code=0
  "$orch" "$@" --format=github > "$scratch/told" 2> "$scratch/err" || code=$?
  if [ "$code" = 2 ] && is_shallow; then
    deepen_wholly
    code=0
    "$orch" "$@" --format=github > "$scratch/told" 2> "$scratch/err" || code=$?
  fi
}

# Tells what orch says to one question: annotations here, a summary for the job, SARIF in a file.
tell() {
  local title=$1 code unfound=''
  shift
  run_orch "$@"
  cat "$scratch/told"
  cat "$scratch/err" >&2
  if [ "$code" -gt 1 ]; then
    worst=$code
    annotate 'orch could not look' 'why stands in the log of this step'
    return
  fi
  # What is refused without a finding, as `require` does, has no annotation yet, and stands in no summary.
  if [ "$code" = 1 ] && ! grep -q '^::error ' "$scratch/told"; then
    unfound=$(cat "$scratch/err")
    annotate 'orch refused' "$unfound"
  fi
  {
    printf '### %s\n\n' "$title"
    # What it says beside the summary has been told above.
    "$orch" "$@" --format=markdown 2> /dev/null || true
    printf '%s\n' "${unfound:+
**refused**: $unfound
}"
  } >> "${GITHUB_STEP_SUMMARY:-/dev/null}"
  # Of several answers, the file holds the first that refuses.
  if [ -z "$sarif" ] || [ "$code" -gt "$worst" ]; then
    sarif=${SARIF:-${RUNNER_TEMP:-$PWD}/orch.sarif}
    "$orch" "$@" --format=sarif --output="$sarif" 2> "$scratch/err" || [ $? = 1 ] || {
      cat "$scratch/err" >&2
      fault "the SARIF can't be written: $sarif"
    }
  fi
  if [ "$code" -gt "$worst" ]; then worst=$code; fi
}

refuse() {
  annotate branch-protected "$1"
  finish 1
}

finish() {
  local told=fault
  case "$1" in 0) told=pass ;; 1) told=refused ;; esac
  output verdict "$told"
  output sarif "${sarif:-}"
  if [ $# -gt 1 ]; then printf '%s\n' "$2"; fi
  verdict=$told
  exit "$1"
}

worst=0 sarif=''
take_surroundings
take_event
find_orch
if [ ${#judge[@]} -gt 0 ]; then tell 'orch guard: what changed' "${judge[@]}"; fi
if [ ${#verify[@]} -gt 0 ]; then tell 'orch verify: the whole record' "${verify[@]}"; fi
finish "$worst"
