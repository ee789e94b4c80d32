# bash completion for zraid-pool(8). What there is comes from the program's own --help, so that it
# cannot be out of date; names of pools are those of the definitions, which root may read.

# The first words of the lines below a heading of a help text.
_zraid_pool_words()
{
    awk -v heading="$1:" '
        $0 == heading { inside = 1; next }
        /^[^ ]/ { inside = 0 }
        inside && /^  [^ ]/ { print $1 }'
}

_zraid_pool_pools()
{
    local file
    for file in /etc/zraid/pools/*.xml; do
        [ -e "$file" ] || continue
        file=${file##*/}
        printf '%s\n' "${file%.xml}"
    done
}

_zraid_pool()
{
    local program=$1 word=$2 before=$3 command='' i
    COMPREPLY=()
    # The command is the first word that is no option, and no option's value.
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
            -c | --connect) ((i++)) ;;
            -*) ;;
            *)
                command=${COMP_WORDS[i]}
                break
                ;;
        esac
    done

    local help words=''
    # shellcheck disable=SC2086 # no command: no word
    help=$("$program" $command --help 2>/dev/null) || return 0
    if [[ $word == -* ]]; then
        words=$(_zraid_pool_words Options <<<"$help" | tr ',' '\n')
    elif [ -z "$command" ]; then
        words=$(_zraid_pool_words Subcommands <<<"$help")
    else
        [ "$command" != import ] || before=--file
        case $before in
            --image | --file | --target)
                mapfile -t COMPREPLY < <(compgen -f -- "$word")
                compopt -o filenames 2>/dev/null
                return 0
                ;;
            --writes) words='cached through' ;;
            --attach) words='on-demand always' ;;
            mdadm-mail) words='filter restore status' ;;
            --type) words='disk logical fs whole' ;;
            --format) words='raw qcow2' ;;
            *) _zraid_pool_words Positionals <<<"$help" | grep -q '^POOL' && words=$(_zraid_pool_pools) ;;
        esac
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -F _zraid_pool zraid-pool
