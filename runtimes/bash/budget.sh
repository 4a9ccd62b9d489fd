# What happens rarely: a new process, a status that is not 0, a budget that binds.

# Called by every probe that cannot simply write its line: op, site. The caller's: _tr_r the rest of
# the line, _tr_e the status it found, _tr_a the site of the command that left it, _tr_dp its depth.
_tr_slow() {
    local _tr_op=$1 _tr_counted=0
    case $1 in
        # Probes that skip have counted a muted visit already.
        [SCVBL]) _tr_counted=1 ;;
        Y) _tr_op=B ;;
        Z) _tr_op=L ;;
    esac
    ((BASHPID!=_tr_p)) && _tr_begin
    if ((_tr_e&&_tr_a&&(!_tr_q||${_tr_c[_tr_a]-0}<3))); then
        builtin printf '%s E %s %s\n' "$_tr_p" "$_tr_a" "$_tr_e" >&1000
        ((++_tr_n))
    fi
    [[ $1 ]] || return 0
    ((_tr_n>_tr_m&&!_tr_q)) && _tr_check
    # A mute ends where its call, or the call around its loop, was left unseen.
    ((_tr_q&&_tr_q<3&&_tr_dp<_tr_qd)) && _tr_unmute
    # What was going to happen: the script ends here.
    [[ $_tr_q != 0 && $1 == C && $_tr_r == ' =exit'* ]] && _tr_unmute
    if ((!_tr_q)); then
        builtin printf '%s %s %s%s\n' "$_tr_p" "$_tr_op" "$2" "$_tr_r" >&1000
        return
    fi
    ((--_tr_n))
    if ((_tr_c[$2]=${_tr_c[$2]-0}+1,_tr_c[$2]<3)); then
        ((_tr_k[$2]=0))
        builtin printf '%s D %s\n%s %s %s%s\n' "$_tr_p" "$((_tr_dp-2))" \
            "$_tr_p" "$_tr_op" "$2" "$_tr_r" >&1000
        ((_tr_n+=2))
        return
    fi
    _tr_t[$2]="$_tr_op$_tr_r"
    # Told at every doubling, so that a killed process leaves more than nothing.
    ((_tr_counted||++_tr_k[$2]))
    if (((_tr_k[$2]&_tr_k[$2]-1)==0)); then
        builtin printf '%s M %s %s\n' "$_tr_p" "$2" "${_tr_k[$2]}" >&1000
    fi
}

# The first probe of a subshell. The status it starts with was its parent's.
_tr_begin() {
    builtin printf '%s P %s %s\n' "$BASHPID" "$_tr_p" "$((_tr_n-1))" >&1000
    ((_tr_spent+=_tr_n-1,_tr_m=_tr_q?-1:0,_tr_n=1,_tr_p=BASHPID,_tr_a=0))
    _tr_k=() _tr_t=()
}

# Looks whether a budget is used up: bytes by all processes, events by this one and its parents.
_tr_check() {
    local _tr_y=0 IFS=$' \t\n'
    { builtin read -r _tr_y _tr_y </proc/self/fdinfo/1000; } 2>/dev/null
    if ((_tr_spent+_tr_n>_tr_events)); then
        builtin printf '%s X 0\n' "$_tr_p" >&1000
        _tr_mute 3 0
    elif ((${_tr_y:-0}>_tr_bytes+4096)); then
        builtin printf '%s X 1\n' "$_tr_p" >&1000
        _tr_mute 3 0
    else
        ((_tr_m=_tr_n+512,_tr_m=_tr_m+_tr_spent>_tr_events?_tr_events-_tr_spent:_tr_m))
        return
    fi
    ((++_tr_n))
}

_tr_mute() {
    ((_tr_q=$1,_tr_qs=$2,_tr_qd=_tr_dp,_tr_m=-1))
    _tr_c=() _tr_k=() _tr_t=()
}

# Tells what was left out, and records go on.
_tr_unmute() {
    local _tr_i
    for _tr_i in "${!_tr_k[@]}"; do
        ((_tr_k[_tr_i])) || continue
        builtin printf '%s G %s %s %s\n' "$_tr_p" "$_tr_i" "${_tr_k[_tr_i]}" "${_tr_t[_tr_i]}" >&1000
        ((++_tr_n))
    done
    builtin printf '%s D %s\n' "$_tr_p" "$((_tr_dp-2))" >&1000
    ((++_tr_n,_tr_q=0,_tr_m=_tr_n))
    _tr_k=() _tr_t=()
}
