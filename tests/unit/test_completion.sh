#!/bin/bash
# bash completes zraid-pool's commands and options, whatever there are.
#
#   tests/unit/test_completion.sh COMPLETION PROGRAM

set -eu
# shellcheck source=/dev/null
source "$1"
program=$2

# expect WORDS-OF-THE-COMMAND-LINE... -- COMPLETIONS-THAT-MUST-BE-THERE...
expect() {
    COMP_WORDS=("$program")
    while [ "$1" != -- ]; do
        COMP_WORDS+=("$1")
        shift
    done
    shift
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _zraid_pool "$program" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}" || true
    local wanted
    for wanted in "$@"; do
        printf '%s\n' "${COMPREPLY[@]}" | grep -qxe "$wanted" || {
            echo "'${COMP_WORDS[*]:1}': no '$wanted' in: ${COMPREPLY[*]}" >&2
            exit 1
        }
    done
}

commands=$("$program" --help | sed -n '/^Subcommands:/,$ s/^  \([a-z][^ ]*\).*/\1/p')
[ "$(wc -w <<<"$commands")" -gt 15 ]
# shellcheck disable=SC2086
expect '' -- $commands
expect de -- define detach
expect --conn -- --connect
expect define --im -- --image
expect -c qemu:///system info --js -- --json
expect define vm --writes '' -- cached through
expect define vm --attach al -- always
expect define vm --image /et -- /etc
expect mdadm-mail '' -- filter restore status
expect undefine vm --y -- --yes
expect import /et -- /etc
expect no-such-command '' --
