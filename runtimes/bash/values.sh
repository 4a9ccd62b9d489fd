# Values in the form of the text stream: `=` and a quoted word, `~length=` where only its beginning
# is shown, `(length …)` and `{length …}` for arrays. Both functions add to the caller's _tr_r.

# The values of the words, within the bounds on length and number.
_tr_cut() {
    local _tr_v _tr_q1 _tr_left=$((_tr_elements+1))
    _tr_r=
    for _tr_v in "$@"; do
        if ((_tr_left--<=0||${#_tr_r}>3000)); then
            _tr_r+=" +$(($#-_tr_elements+_tr_left>0?$#-_tr_elements-1:1))"
            break
        fi
        if ((${#_tr_v}>_tr_chars)); then
            builtin printf -v _tr_q1 '~%s=%q' "${#_tr_v}" "${_tr_v:0:_tr_chars}"
            _tr_r+=" $_tr_q1"
        else
            builtin printf -v _tr_q1 '=%q' "$_tr_v"
            _tr_r+=" $_tr_q1"
        fi
    done
}

# The value of a name, whatever it is.
_tr_look() {
    local -
    builtin set +u
    local -n _tr_ref=$1
    local _tr_i _tr_q1 _tr_left=$_tr_elements
    case ${_tr_ref@a} in
        *A*)
            _tr_r+=" {${#_tr_ref[@]}"
            for _tr_i in "${!_tr_ref[@]}"; do
                ((_tr_left--<=0||${#_tr_r}>3000)) && break
                _tr_scalar "$_tr_i"
                _tr_scalar "${_tr_ref[$_tr_i]}"
            done
            _tr_r+=' }'
            ;;
        *a*)
            _tr_r+=" (${#_tr_ref[@]}"
            for _tr_i in "${!_tr_ref[@]}"; do
                ((_tr_left--<=0||${#_tr_r}>3000)) && break
                _tr_scalar "${_tr_ref[_tr_i]}"
            done
            _tr_r+=' )'
            ;;
        *i*)
            if [[ ${_tr_ref-} == ?(-)+([0-9]) && ${#_tr_ref} -lt 20 ]]; then
                _tr_r+=" #$_tr_ref"
            elif [[ ${_tr_ref+x} ]]; then
                _tr_scalar "$_tr_ref"
            else
                _tr_r+=' !'
            fi
            ;;
        *)
            if [[ ${_tr_ref+x} ]]; then
                _tr_scalar "$_tr_ref"
            elif [[ ${_tr_ref[*]+x} ]]; then
                # An array without an element 0.
                _tr_r+=" (${#_tr_ref[@]}"
                for _tr_i in "${!_tr_ref[@]}"; do
                    ((_tr_left--<=0||${#_tr_r}>3000)) && break
                    _tr_scalar "${_tr_ref[$_tr_i]}"
                done
                _tr_r+=' )'
            else
                _tr_r+=' !'
            fi
            ;;
    esac
}
_tr_scalar() {
    if ((${#1}>_tr_chars)); then
        builtin printf -v _tr_q1 '~%s=%q' "${#1}" "${1:0:_tr_chars}"
    else
        builtin printf -v _tr_q1 '=%q' "$1"
    fi
    _tr_r+=" $_tr_q1"
}
