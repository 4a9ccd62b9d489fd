# The bash emitter: one function a probe, lines of the stream's text form to descriptor 1000.
#
# Probes are called as `_tr_s 17 && ((1));`. A list's first command is exempt from `set -e` and the
# ERR trap, and so is all that runs in it; each function gives back the status it found, so that
# `$?` passes through, and `((1))` leaves `$_` alone. Where the script uses `$_`, the call is
# `_tr_d=1 _tr_s 17 "$_"`: the last argument is what `$_` is afterwards, and no part of the report.
# Only builtins, called as such; no fork; no unquoted expansion; nothing unset is read (`set -u`).
#
# State, all of one process (a subshell inherits a copy):
#   _tr_p   process that wrote last          _tr_n  lines it wrote
#   _tr_m   lines after which to look        _tr_at site of the command under way, by call depth
#   _tr_q   muted: 0 no, 1 by a loop, 2 by a call, 3 for good; _tr_qd its depth, _tr_qs its site
#   _tr_c   muted visits by site, _tr_k those not told, _tr_t the last one's text
#   _tr_l   loops: _tr_le lines at their start, _tr_lb what was left then, _tr_lc their rounds
#   _tr_no  by status: an element behind which an index is not read, as it may be what failed
#   _tr_f   operators of lists that were reached, by depth and site;  _tr_ic calls by site
# Of the probe under way: _tr_e status found, _tr_dp depth, _tr_a command that left the status.

_tr_p=$BASHPID _tr_n=0 _tr_q=0 _tr_qd=0 _tr_qs=0 _tr_spent=0 _tr_d=0 _tr_a=0 _tr_dp=0
_tr_sub=$'\1substitution\1' _tr_nl=$'\n'
_tr_m=$((_tr_events < 512 ? _tr_events : 512))
_tr_no=([1]=) _tr_at=() _tr_c=() _tr_k=() _tr_t=() _tr_le=() _tr_lc=() _tr_lb=() _tr_f=() _tr_ic=()

# Back to the script's own folder, and everything as if it had never been left.
_tr_go() {
    if [[ ${_tr_w-} ]]; then
        builtin cd -- "$_tr_w"
        if [[ $_tr_x ]]; then
            OLDPWD=$_tr_o
        else
            builtin unset -v OLDPWD
            builtin export OLDPWD
        fi
    fi
    builtin unset -v _tr_w _tr_o _tr_x
    builtin unset -f _tr_go
}

# While muted, a visit beyond the second is counted in the first line of each probe and no more,
# save that every doubling goes the long way, which keeps its text.

# A statement is about to run (_tr_k: one whose status is not a command's own).
_tr_s() {
    local _tr_e=$?
    ((_tr_q&&${_tr_c[$1]-0}>1&&(++_tr_k[$1]&_tr_k[$1]-1))) && return "$_tr_e"
    if ((_tr_a=${_tr_at[_tr_dp=${#FUNCNAME[@]}]-0},_tr_at[_tr_dp]=$1,++_tr_n>_tr_m||BASHPID!=_tr_p||_tr_e)); then
        local _tr_r=
        _tr_slow S "$1"
    else
        builtin printf '%s S %s\n' "$_tr_p" "$1" >&1000
    fi
    return "$_tr_e"
}
_tr_k() {
    local _tr_e=$?
    ((_tr_q&&${_tr_c[$1]-0}>1&&(++_tr_k[$1]&_tr_k[$1]-1))) && return "$_tr_e"
    if ((_tr_a=${_tr_at[_tr_dp=${#FUNCNAME[@]}]-0},_tr_at[_tr_dp]=0,++_tr_n>_tr_m||BASHPID!=_tr_p||_tr_e)); then
        local _tr_r=
        _tr_slow S "$1"
    else
        builtin printf '%s S %s\n' "$_tr_p" "$1" >&1000
    fi
    return "$_tr_e"
}

# A command is about to run: site, words. Its step has the number before.
_tr_c() {
    local _tr_e=$? _tr_r
    ((_tr_q&&${_tr_c[$1]-0}>1&&(++_tr_k[$1]&_tr_k[$1]-1))) && return "$_tr_e"
    if ((_tr_d||$#>_tr_elements)); then
        _tr_cut "${@:2:$#-1-_tr_d}"
    else
        builtin printf -v _tr_r ' =%q' "${@:2}"
        ((${#_tr_r}>_tr_h)) && _tr_cut "${@:2}"
    fi
    if ((_tr_a=${_tr_at[_tr_dp=${#FUNCNAME[@]}]-0},_tr_at[_tr_dp]=$1-1,++_tr_n>_tr_m||BASHPID!=_tr_p||_tr_e)); then
        _tr_slow C "$1"
    else
        builtin printf '%s C %s%s\n' "$_tr_p" "$1" "$_tr_r" >&1000
    fi
    return "$_tr_e"
}

# The same for a command whose status decides something.
_tr_t() {
    local _tr_e=$? _tr_r
    ((_tr_q&&${_tr_c[$1]-0}>1&&(++_tr_k[$1]&_tr_k[$1]-1))) && return "$_tr_e"
    if ((_tr_d||$#>_tr_elements)); then
        _tr_cut "${@:2:$#-1-_tr_d}"
    else
        builtin printf -v _tr_r ' =%q' "${@:2}"
        ((${#_tr_r}>_tr_h)) && _tr_cut "${@:2}"
    fi
    if ((_tr_a=${_tr_at[_tr_dp=${#FUNCNAME[@]}]-0},_tr_at[_tr_dp]=0,++_tr_n>_tr_m||BASHPID!=_tr_p||_tr_e)); then
        _tr_slow C "$1"
    else
        builtin printf '%s C %s%s\n' "$_tr_p" "$1" "$_tr_r" >&1000
    fi
    return "$_tr_e"
}

# Something was written: site, new value. _tr_w: site, names to look up.
_tr_v() {
    local _tr_e=$? _tr_r
    ((_tr_q&&${_tr_c[$1]-0}>1&&(++_tr_k[$1]&_tr_k[$1]-1))) && return "$_tr_e"
    builtin printf -v _tr_r ' =%q' "$2"
    ((${#_tr_r}>_tr_h)) && _tr_cut "$2"
    if ((_tr_a=_tr_e?$1:0,_tr_at[_tr_dp=${#FUNCNAME[@]}]=0,++_tr_n>_tr_m||BASHPID!=_tr_p||_tr_e)); then
        _tr_slow V "$1"
    else
        builtin printf '%s V %s%s\n' "$_tr_p" "$1" "$_tr_r" >&1000
    fi
    return "$_tr_e"
}
# A value that was written without running anything: another status than 0 says that it was not.
_tr_u() {
    local _tr_e=$? _tr_r
    ((_tr_q&&${_tr_c[$1]-0}>1&&(++_tr_k[$1]&_tr_k[$1]-1))) && return "$_tr_e"
    builtin printf -v _tr_r ' =%q' "$2"
    ((${#_tr_r}>_tr_h)) && _tr_cut "$2"
    if ((_tr_a=_tr_e?$1:0,_tr_at[_tr_dp=${#FUNCNAME[@]}]=0,_tr_e)); then
        _tr_slow '' 0
    elif ((++_tr_n>_tr_m||BASHPID!=_tr_p)); then
        _tr_slow V "$1"
    else
        builtin printf '%s V %s%s\n' "$_tr_p" "$1" "$_tr_r" >&1000
    fi
    return "$_tr_e"
}
_tr_w() {
    local _tr_e=$? _tr_r= _tr_x
    ((_tr_q&&${_tr_c[$1]-0}>1&&(++_tr_k[$1]&_tr_k[$1]-1))) && return "$_tr_e"
    [[ $2 ]] || return "$_tr_e"
    for _tr_x in "${@:2:$#-1-_tr_d}"; do _tr_look "$_tr_x"; done
    if ((_tr_a=_tr_e?$1:0,_tr_at[_tr_dp=${#FUNCNAME[@]}]=0,++_tr_n>_tr_m||BASHPID!=_tr_p||_tr_e)); then
        _tr_slow V "$1"
    else
        builtin printf '%s V %s%s\n' "$_tr_p" "$1" "$_tr_r" >&1000
    fi
    return "$_tr_e"
}

# The end of the script, or of a block whose last status nobody else looks at.
_tr_end() {
    local _tr_e=$? _tr_r=
    if ((_tr_e||_tr_q)); then
        ((_tr_a=${_tr_at[_tr_dp=${#FUNCNAME[@]}]-0},_tr_at[_tr_dp]=0))
        ((_tr_e&&_tr_a||BASHPID==_tr_p)) && _tr_slow '' 0
        ((_tr_q&&BASHPID==_tr_p&&_tr_dp==2)) && _tr_unmute
    fi
    return "$_tr_e"
}

# A condition was decided: site, arm, operands. _tr_z: and go on with success.
_tr_b() {
    local _tr_e=$? _tr_r=
    ((_tr_q&&${_tr_c[$1]-0}>1&&(++_tr_k[$1]&_tr_k[$1]-1))) && return "$_tr_e"
    (($#>2+_tr_d)) && _tr_cut "${@:3:$#-2-_tr_d}"
    _tr_r=" $2$_tr_r"
    if ((_tr_a=0,_tr_at[_tr_dp=${#FUNCNAME[@]}]=0,++_tr_n>_tr_m||BASHPID!=_tr_p)); then
        _tr_slow B "$1"
    else
        builtin printf '%s B %s%s\n' "$_tr_p" "$1" "$_tr_r" >&1000
    fi
    return "$_tr_e"
}
_tr_z() {
    local _tr_e=0 _tr_r=
    ((_tr_q&&${_tr_c[$1]-0}>1&&(++_tr_k[$1]&_tr_k[$1]-1))) && return "$_tr_e"
    (($#>2+_tr_d)) && _tr_cut "${@:3:$#-2-_tr_d}"
    _tr_r=" $2$_tr_r"
    if ((_tr_a=0,_tr_at[_tr_dp=${#FUNCNAME[@]}]=0,++_tr_n>_tr_m||BASHPID!=_tr_p)); then
        _tr_slow B "$1"
    else
        builtin printf '%s B %s%s\n' "$_tr_p" "$1" "$_tr_r" >&1000
    fi
    return 0
}

# What stands behind `&&` or `||` is reached: site, arm, step of what stands there, and site and arm
# of each operator before; those that were not reached took that arm.
_tr_y() {
    local _tr_e=$? _tr_r=
    (($#>3+_tr_d)) && _tr_pass "${@:4:$#-3-_tr_d}"
    _tr_r=" $2"
    if ((_tr_f[(_tr_dp=${#FUNCNAME[@]})<<24|$1]=1,_tr_a=0,_tr_at[_tr_dp]=$3,++_tr_n>_tr_m||BASHPID!=_tr_p)); then
        _tr_slow Y "$1"
    else
        builtin printf '%s B %s%s\n' "$_tr_p" "$1" "$_tr_r" >&1000
    fi
    return "$_tr_e"
}
# The same behind the whole list, whose operators are forgotten.
_tr_x() {
    local _tr_e=$? _tr_r
    _tr_pass "${@:1:$#-_tr_d}"
    while (($#>1+_tr_d)); do
        builtin unset -v "_tr_f[(${#FUNCNAME[@]}<<24)|$1]"
        builtin shift 2
    done
    return "$_tr_e"
}
_tr_pass() {
    _tr_dp=$((${#FUNCNAME[@]}-1))
    while (($#>1)); do
        if ((!${_tr_f[_tr_dp<<24|$1]-0})); then
            _tr_r=" $2"
            if ((_tr_f[_tr_dp<<24|$1]=1,_tr_a=0,++_tr_n>_tr_m||BASHPID!=_tr_p)); then
                _tr_slow Y "$1"
            else
                builtin printf '%s B %s%s\n' "$_tr_p" "$1" "$_tr_r" >&1000
            fi
        fi
        builtin shift 2
    done
}

# Operators that were reached before a jump out of their list: those of this depth behind a site.
_tr_forget() {
    local _tr_i
    for _tr_i in "${!_tr_f[@]}"; do
        ((_tr_i>>24==_tr_dp&&(_tr_i&0xffffff)>$1)) && builtin unset -v "_tr_f[_tr_i]"
    done
}

# A loop: site, phase, targets of the round.
_tr_l() {
    local _tr_e=$? _tr_r= _tr_op=Z
    if (($2==1)); then
        ((_tr_q&&${_tr_c[$1]-0}>1&&(++_tr_k[$1]&_tr_k[$1]-1))) && return "$_tr_e"
        _tr_op=L
    fi
    _tr_dp=${#FUNCNAME[@]}
    (($2<2&&${#_tr_f[@]})) && _tr_forget "$1"
    case $2 in
        0) _tr_le[$1]=$_tr_n _tr_lc[$1]=0 _tr_lb[$1]=$((_tr_events-_tr_spent-_tr_n)) ;;
        1) ((++_tr_lc[$1]>2&&!_tr_q&&_tr_n-_tr_le[$1]>(_tr_lb[$1]>256?_tr_lb[$1]/4:64))) && _tr_mute 1 "$1" ;;
        *) ((_tr_q==1&&_tr_qs==$1&&_tr_qd==_tr_dp)) && _tr_unmute ;;
    esac
    (($#>2+_tr_d)) && _tr_cut "${@:3:$#-2-_tr_d}"
    _tr_r=" $2$_tr_r"
    if ((_tr_a=${_tr_at[_tr_dp]-0},_tr_at[_tr_dp]=0,++_tr_n>_tr_m||BASHPID!=_tr_p||_tr_e)); then
        _tr_slow "$_tr_op" "$1"
    else
        builtin printf '%s L %s%s\n' "$_tr_p" "$1" "$_tr_r" >&1000
    fi
    return "$_tr_e"
}

# A function is entered: site, arguments; and left: site, status (its own if none is given).
_tr_i() {
    local _tr_e=$? _tr_r=
    (($#>1+_tr_d)) && _tr_cut "${@:2:$#-1-_tr_d}"
    ((${#_tr_f[@]}&&(_tr_dp=${#FUNCNAME[@]}))) && _tr_forget 0
    ((_tr_ic[$1]=${_tr_ic[$1]-0}+1,_tr_dp=${#FUNCNAME[@]},_tr_ic[$1]>2&&!_tr_q&&_tr_spent+_tr_n>_tr_events/4*3)) && _tr_mute 2 "$1"
    if ((_tr_a=0,_tr_at[_tr_dp]=0,++_tr_n>_tr_m||BASHPID!=_tr_p)); then
        ((--_tr_dp))
        _tr_slow I "$1"
    else
        builtin printf '%s I %s%s\n' "$_tr_p" "$1" "$_tr_r" >&1000
    fi
    return "$_tr_e"
}
_tr_o() {
    local _tr_e=$? _tr_r
    _tr_r=" $_tr_e"
    (($#>1+_tr_d)) && [[ $2 == @(|[+-])+([0-9]) ]] && _tr_r=" $((${2%%[0-9]*}10#${2#[+-]}&255))"
    if ((_tr_a=${_tr_at[_tr_dp=${#FUNCNAME[@]}]-0},_tr_at[_tr_dp]=0,++_tr_n>_tr_m||BASHPID!=_tr_p||_tr_e)); then
        _tr_slow O "$1"
    else
        builtin printf '%s O %s%s\n' "$_tr_p" "$1" "$_tr_r" >&1000
    fi
    ((_tr_q==2&&_tr_qs+1==$1&&_tr_qd==_tr_dp)) && _tr_unmute
    return "$_tr_e"
}
