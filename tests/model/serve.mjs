// An OpenAI-compatible endpoint over a small model on one thread, for tests of what asks models.
// node serve.mjs MODEL.gguf: prints its URL. One request at a time; seeds are honoured.
import http from "node:http";
import {getLlama, LlamaChatSession} from "node-llama-cpp";

const llama = await getLlama({gpu: false, build: "never", maxThreads: 1, logLevel: "error"});
const model = await llama.loadModel({modelPath: process.argv[2]});
const context = await model.createContext({contextSize: 2048, threads: 1});
const sequence = context.getSequence();
let turn = Promise.resolve();

async function answer(body) {
    await sequence.clearHistory();
    const system = body.messages.find(({role}) => role === "system")?.content ?? "";
    const session = new LlamaChatSession({contextSequence: sequence, systemPrompt: system});
    const turns = body.messages.filter(({role}) => role !== "system");
    session.setChatHistory(turns.slice(0, -1).map(({role, content}) => role === "user"
        ? {type: "user", text: content}
        : {type: "model", response: [content]}));
    const asked = turns.at(-1).content;
    const before = sequence.tokenMeter.getState();
    const {responseText, stopReason} = await session.promptWithMeta(asked, {
        maxTokens: body.max_tokens ?? 256, temperature: body.temperature ?? 0, seed: body.seed
    });
    const used = sequence.tokenMeter.diff(before);
    session.dispose({disposeSequence: false});
    return {
        object: "chat.completion", model: body.model,
        choices: [{
            index: 0, message: {role: "assistant", content: responseText},
            finish_reason: stopReason === "maxTokens" ? "length" : "stop"
        }],
        usage: {prompt_tokens: used.usedInputTokens, completion_tokens: used.usedOutputTokens}
    };
}

const server = http.createServer(async (request, response) => {
    let text = "";
    for await (const part of request) text += part;
    const reply = (status, value) => {
        response.writeHead(status, {"content-type": "application/json"});
        response.end(JSON.stringify(value));
    };
    const mine = turn.then(() => answer(JSON.parse(text)));
    turn = mine.catch(() => {});
    mine.then((value) => reply(200, value), (error) => reply(500, {error: {message: String(error)}}));
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/v1`));
