# Read by bash through BASH_ENV, before it opens the script. Here `$0`, `$@` and the working folder
# are the script's already. Builtins only: a process would shift all later process numbers.
#
# plan.sh sets: _tr_dir (this folder), _tr_stage (folder to open the script from; empty: the script
# itself stands where the original did), _tr_mode (probes, hook) and the bounds on recording.

{
    _tr_u=$_
    # A script that is started with `-x` does not want to see this.
    case $- in *x*) _tr_trace=1 ;; *) _tr_trace= ;; esac
    builtin set +x
} 2>/dev/null
builtin unset -v BASH_ENV TRACER_CHANNEL
builtin . "${BASH_SOURCE%/*}/plan.sh"

if [[ $_tr_mode == probes && $_tr_stage ]]; then
    _tr_w=$PWD _tr_o=${OLDPWD-} _tr_x=${OLDPWD+x}
    builtin cd -- "$_tr_stage"
fi

if [[ $_tr_mode == probes ]]; then
    builtin . "$_tr_dir/emitter.sh"
    builtin . "$_tr_dir/values.sh"
    builtin . "$_tr_dir/budget.sh"
    builtin unset -v _tr_dir _tr_stage _tr_mode
    if [[ $_tr_trace ]]; then
        builtin unset -v _tr_trace
        builtin set -x
    else
        builtin unset -v _tr_trace
    fi
else
    builtin unset -v _tr_dir _tr_stage _tr_mode _tr_events _tr_bytes _tr_elements _tr_h _tr_chars _tr_u _tr_trace
    # Only lines of the main script are told of: for those the part behind H is empty. The elements
    # behind hold the process that wrote last, the lines it wrote, and an empty text; the first line
    # of a process says whose child it is. No other name is taken, as the script may list them.
    PS4=('+$BASHPID ${PS4[PS4[2]++,PS4[1]==BASHPID?3:9]-P ${PS4[1]} $((PS4[1]=BASHPID,PS4[4]=PS4[2]-1,PS4[2]=1,PS4[4]))'$'\n''$BASHPID }H${BASH_SOURCE#"$0"} $LINENO :' "$BASHPID" 0 '' 0)
    BASH_XTRACEFD=1000
    builtin set -x
fi
