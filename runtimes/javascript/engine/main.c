// QuickJS-NG as the engine behind the stand-in for Node.js: `quickjs.wasm SCRIPT ARGUMENTS...`.
//
// Runs one script with `std`, `os` and an object `engine`, through which the script says how names of
// modules are resolved and loaded, hears of rejections that nobody handles, and compiles texts under
// names of its choice. Knows nothing of Node.js and nothing of traces.

// One unit with the engine: its bound on the stack is its own, and off in WebAssembly, since it cannot
// know how large a stack there is. This program is linked with a known one.
#include "quickjs.c"
#include "quickjs-libc.h"

// Bytes of the stack that scripts may use: some twelve thousand calls, as on Node.js. The machine keeps
// the larger part of a frame on a stack of its own, which must last longer than this one.
#define STACK_LIMIT (4 << 20)

// What the script gave: functions, or undefined.
static JSValue resolve, load, rejected;

static JSValue engine_compile(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    size_t length;
    const char *text = JS_ToCStringLen(ctx, &length, argv[0]);
    const char *name = JS_ToCString(ctx, argv[1]);
    JSValue value = JS_EXCEPTION;
    if (text != NULL && name != NULL)
        value = JS_Eval(ctx, text, length, name, JS_EVAL_TYPE_GLOBAL);
    JS_FreeCString(ctx, text);
    JS_FreeCString(ctx, name);
    return value;
}

static JSValue engine_hook(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    JSValue *places[] = {&resolve, &load, &rejected};
    for (int i = 0; i < 3; i++) {
        JS_FreeValue(ctx, *places[i]);
        *places[i] = JS_DupValue(ctx, argv[i]);
    }
    return JS_UNDEFINED;
}

// `[state, result]` with 0 for pending, 1 for fulfilled, 2 for rejected; undefined for what is no promise.
static JSValue engine_promise(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    JSPromiseStateEnum state = JS_PromiseState(ctx, argv[0]);
    if (state != JS_PROMISE_PENDING && state != JS_PROMISE_FULFILLED && state != JS_PROMISE_REJECTED)
        return JS_UNDEFINED;
    JSValue list = JS_NewArray(ctx);
    JS_SetPropertyUint32(ctx, list, 0, JS_NewInt32(ctx, state));
    JS_SetPropertyUint32(ctx, list, 1, JS_PromiseResult(ctx, argv[0]));
    return list;
}

// As `process.memoryUsage` has it: all of the module's memory, what was asked of it, and what is used.
static JSValue engine_memory(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    JSMemoryUsage usage;
    JS_ComputeMemoryUsage(JS_GetRuntime(ctx), &usage);
    double buffers = usage.binary_object_size;
    JSValue object = JS_NewObject(ctx);
    JS_SetPropertyStr(ctx, object, "rss", JS_NewFloat64(ctx, __builtin_wasm_memory_size(0) * 65536.0));
    JS_SetPropertyStr(ctx, object, "heapTotal", JS_NewFloat64(ctx, usage.malloc_size));
    JS_SetPropertyStr(ctx, object, "heapUsed", JS_NewFloat64(ctx, usage.memory_used_size));
    JS_SetPropertyStr(ctx, object, "external", JS_NewFloat64(ctx, buffers));
    JS_SetPropertyStr(ctx, object, "arrayBuffers", JS_NewFloat64(ctx, buffers));
    return object;
}

static JSValue engine_abort(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    abort();
}

// The engine's name of the module that `name` means in the one called `base`.
static char *normalize(JSContext *ctx, const char *base, const char *name, void *opaque)
{
    JSValue words[2] = {JS_NewString(ctx, name), JS_NewString(ctx, base)};
    JSValue value = JS_Call(ctx, resolve, JS_UNDEFINED, 2, (JSValueConst *)words);
    JS_FreeValue(ctx, words[0]);
    JS_FreeValue(ctx, words[1]);
    if (JS_IsException(value))
        return NULL;
    const char *found = JS_ToCString(ctx, value);
    char *kept = found != NULL ? js_strdup(ctx, found) : NULL;
    JS_FreeCString(ctx, found);
    JS_FreeValue(ctx, value);
    return kept;
}

// `load(name)` gives `[text, about]`: the module's text, and the properties of its `import.meta`.
static JSModuleDef *loader(JSContext *ctx, const char *name, void *opaque)
{
    JSValue word = JS_NewString(ctx, name);
    JSValue pair = JS_Call(ctx, load, JS_UNDEFINED, 1, (JSValueConst *)&word);
    JS_FreeValue(ctx, word);
    if (JS_IsException(pair))
        return NULL;
    JSValue source = JS_GetPropertyUint32(ctx, pair, 0);
    JSValue about = JS_GetPropertyUint32(ctx, pair, 1);
    JSModuleDef *module = NULL;
    size_t length;
    const char *text = JS_ToCStringLen(ctx, &length, source);
    if (text != NULL) {
        JSValue made = JS_Eval(ctx, text, length, name,
                               JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
        if (!JS_IsException(made)) {
            module = JS_VALUE_GET_PTR(made);
            JSValue meta = JS_GetImportMeta(ctx, module);
            if (JS_IsObject(about))
                JS_CopyDataProperties(ctx, meta, about, JS_UNDEFINED, false);
            JS_FreeValue(ctx, meta);
            // The context holds it.
            JS_FreeValue(ctx, made);
        }
    }
    JS_FreeCString(ctx, text);
    JS_FreeValue(ctx, about);
    JS_FreeValue(ctx, source);
    JS_FreeValue(ctx, pair);
    return module;
}

static void tracker(JSContext *ctx, JSValueConst promise, JSValueConst reason, bool handled, void *opaque)
{
    if (!JS_IsFunction(ctx, rejected))
        return;
    JSValueConst words[3] = {promise, reason, JS_NewBool(ctx, handled)};
    // It must not lose an exception that is on its way.
    JSValue pending = JS_GetException(ctx);
    JSValue value = JS_Call(ctx, rejected, JS_UNDEFINED, 3, words);
    if (JS_IsException(value))
        JS_FreeValue(ctx, JS_GetException(ctx));
    JS_FreeValue(ctx, value);
    if (!JS_IsUninitialized(pending))
        JS_Throw(ctx, pending);
}

static int fail(JSContext *ctx)
{
    js_std_dump_error(ctx);
    return 1;
}

static int run(JSContext *ctx, const char *script)
{
    static const char names[] = "import * as std from 'qjs:std';\nimport * as os from 'qjs:os';\n"
                                "globalThis.std = std;\nglobalThis.os = os;\n";
    JSValue value = JS_Eval(ctx, names, sizeof names - 1, "<start>", JS_EVAL_TYPE_MODULE);
    if (JS_IsException(value) || js_std_loop(ctx))
        return fail(ctx);
    JS_FreeValue(ctx, value);
    size_t length;
    uint8_t *text = js_load_file(ctx, &length, script);
    if (text == NULL) {
        fprintf(stderr, "cannot read %s\n", script);
        return 1;
    }
    // Only now, since names like `qjs:std` are the engine's own.
    JS_SetModuleLoaderFunc(JS_GetRuntime(ctx), normalize, loader, NULL);
    JS_SetHostPromiseRejectionTracker(JS_GetRuntime(ctx), tracker, NULL);
    value = JS_Eval(ctx, (const char *)text, length, script, JS_EVAL_TYPE_GLOBAL);
    js_free(ctx, text);
    if (JS_IsException(value) || js_std_loop(ctx))
        return fail(ctx);
    JS_FreeValue(ctx, value);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 2 || !strcmp(argv[1], "--version")) {
        printf("QuickJS-ng version %s\n", JS_GetVersion());
        return argc < 2;
    }
    JSRuntime *runtime = JS_NewRuntime();
    if (runtime == NULL)
        return 2;
    runtime->stack_limit = runtime->stack_top - STACK_LIMIT;
    js_std_init_handlers(runtime);
    JSContext *ctx = JS_NewContext(runtime);
    if (ctx == NULL)
        return 2;
    resolve = load = rejected = JS_UNDEFINED;
    js_init_module_std(ctx, "qjs:std");
    js_init_module_os(ctx, "qjs:os");
    js_std_add_helpers(ctx, argc - 1, argv + 1);
    JSValue global = JS_GetGlobalObject(ctx);
    JSValue engine = JS_NewObject(ctx);
    JS_SetPropertyStr(ctx, engine, "compile", JS_NewCFunction(ctx, engine_compile, "compile", 2));
    JS_SetPropertyStr(ctx, engine, "hook", JS_NewCFunction(ctx, engine_hook, "hook", 3));
    JS_SetPropertyStr(ctx, engine, "promise", JS_NewCFunction(ctx, engine_promise, "promise", 1));
    JS_SetPropertyStr(ctx, engine, "memory", JS_NewCFunction(ctx, engine_memory, "memoryUsage", 0));
    JS_SetPropertyStr(ctx, engine, "abort", JS_NewCFunction(ctx, engine_abort, "abort", 0));
    JS_SetPropertyStr(ctx, engine, "version", JS_NewString(ctx, JS_GetVersion()));
    JS_SetPropertyStr(ctx, global, "engine", engine);
    JS_FreeValue(ctx, global);
    // The process ends here: nothing is left to give back.
    return run(ctx, argv[1]);
}
