// Drives llama.cpp or ik_llama.cpp over a pipe: one command a line, one answer a line.
//
// Their own benchmark programs choose the tokens themselves, and one of them feeds the same token to
// every stream, which then all choose the same experts. Here the ids come from the one who asks.
// Built by `llama.py` with the user's compiler against the headers and the library of a build.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "llama.h"

namespace {

using Clock = std::chrono::steady_clock;

struct Settings {
    std::string model;
    int threads = 1;
    int micro_batch = 2048;
    int flash = 1;
};

[[noreturn]] void fail(const std::string & words) {
    std::printf("error %s\n", words.c_str());
    std::fflush(stdout);
    std::exit(1);
}

llama_model * load(const Settings & settings) {
    llama_model_params params = llama_model_default_params();
    params.n_gpu_layers = 0;
#ifdef IK
    params.repack_tensors = true;  // -rtr 1
    params.use_mmap = false;
    params.mla = 3;
    params.flash_attn = settings.flash != 0;
#endif
    llama_model * model = llama_model_load_from_file(settings.model.c_str(), params);
    if (model == nullptr) fail("the model does not load");
    return model;
}

int vocabulary(const llama_model * model) {
#ifdef IK
    return llama_n_vocab(model);
#else
    return llama_vocab_n_tokens(llama_model_get_vocab(model));
#endif
}

#ifdef IK
// It divides the file's `attn_factor` into the softmax scale, where llama.cpp takes back its mscale;
// it has none to take back, so that is undone.
float undone_factor(const llama_model * model) {
    char text[64];
    if (llama_model_meta_val_str(model, "mistral4.rope.scaling.attn_factor", text, sizeof text) < 0) {
        return -1.0f;
    }
    return 1.0f / std::strtof(text, nullptr);
}
#endif

class Session {
public:
    Session(llama_model * model, const Settings & settings, int streams, int length, int outputs) {
        llama_context_params params = llama_context_default_params();
        int padded = (length + 255) / 256 * 256;
        params.n_ctx = padded * streams;
        params.n_seq_max = streams;
        params.n_batch = std::max(padded, outputs);
        params.n_ubatch = std::min<int>(params.n_batch, settings.micro_batch);
        params.n_threads = params.n_threads_batch = settings.threads;
#ifdef IK
        params.mla_attn = 3;
        params.flash_attn = settings.flash != 0;
        params.fused_moe_up_gate = true;
        params.yarn_attn_factor = undone_factor(model);
#else
        params.flash_attn_type =
            settings.flash ? LLAMA_FLASH_ATTN_TYPE_ENABLED : LLAMA_FLASH_ATTN_TYPE_DISABLED;
#endif
        context_ = llama_init_from_model(model, params);
        if (context_ == nullptr) fail("no context");
        batch_ = llama_batch_init(std::max<int>(params.n_batch, streams), 0, 1);
        vocabulary_ = vocabulary(model);
    }

    ~Session() {
        llama_batch_free(batch_);
        llama_free(context_);
    }

    void add(int token, int position, int stream, bool wants_logits) {
        int at = batch_.n_tokens++;
        batch_.token[at] = token;
        batch_.pos[at] = position;
        batch_.n_seq_id[at] = 1;
        batch_.seq_id[at][0] = stream;
        batch_.logits[at] = wants_logits;
        if (wants_logits) last_ = at;
    }

    void run() {
        if (llama_decode(context_, batch_) != 0) fail("a pass failed");
        llama_get_logits_ith(context_, last_);  // waits until they are there
        batch_.n_tokens = 0;
    }

    void forget() {
#ifdef IK
        llama_kv_cache_clear(context_);
#else
        llama_memory_clear(llama_get_memory(context_), true);
#endif
    }

    void write_logits(FILE * file, int count) {
        for (int row = 0; row < count; ++row) {
            const float * found = llama_get_logits_ith(context_, row);
            std::fwrite(found, sizeof(float), vocabulary_, file);
        }
    }

private:
    llama_context * context_;
    llama_batch batch_;
    int vocabulary_;
    int last_ = 0;
};

std::vector<int> read_ids(const std::string & path, size_t count) {
    std::vector<int> ids(count);
    FILE * file = std::fopen(path.c_str(), "rb");
    if (file == nullptr || std::fread(ids.data(), sizeof(int), count, file) != count) {
        fail("the ids cannot be read");
    }
    std::fclose(file);
    return ids;
}

double since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// `prefill IDS COUNT`: once to warm up, once timed.
double prefill(llama_model * model, const Settings & settings, std::istream & words) {
    std::string path;
    int count;
    words >> path >> count;
    std::vector<int> ids = read_ids(path, count);
    Session session(model, settings, 1, count, 1);
    double taken = 0.0;
    for (int round = 0; round < 2; ++round) {
        session.forget();
        for (int at = 0; at < count; ++at) session.add(ids[at], at, 0, at + 1 == count);
        Clock::time_point start = Clock::now();
        session.run();
        taken = since(start);
    }
    return taken;
}

// `decode IDS STREAMS CONTEXT WARM STEPS`: ids [streams, context + warm + steps].
double decode(llama_model * model, const Settings & settings, std::istream & words) {
    std::string path;
    int streams, context, warm, steps;
    words >> path >> streams >> context >> warm >> steps;
    int length = context + warm + steps;
    std::vector<int> ids = read_ids(path, static_cast<size_t>(streams) * length);
    Session session(model, settings, streams, length, streams);
    for (int stream = 0; stream < streams; ++stream) {
        for (int at = 0; at < context; ++at) {
            session.add(ids[stream * length + at], at, stream, at + 1 == context);
        }
        session.run();
    }
    Clock::time_point start = Clock::now();
    for (int step = 0; step < warm + steps; ++step) {
        if (step == warm) start = Clock::now();
        for (int stream = 0; stream < streams; ++stream) {
            session.add(ids[stream * length + context + step], context + step, stream, true);
        }
        session.run();
    }
    return since(start);
}

// `logits IDS WINDOWS LENGTH OUT`: fp32 logits of every position of every window.
double logits(llama_model * model, const Settings & settings, std::istream & words) {
    std::string path, out;
    int windows, length;
    words >> path >> windows >> length >> out;
    std::vector<int> ids = read_ids(path, static_cast<size_t>(windows) * length);
    FILE * file = std::fopen(out.c_str(), "wb");
    if (file == nullptr) fail("the logits cannot be written");
    Session session(model, settings, 1, length, length);
    Clock::time_point start = Clock::now();
    for (int window = 0; window < windows; ++window) {
        session.forget();
        for (int at = 0; at < length; ++at) session.add(ids[window * length + at], at, 0, true);
        session.run();
        session.write_logits(file, length);
    }
    std::fclose(file);
    return since(start);
}

}  // namespace

// MODEL THREADS MICRO_BATCH FLASH
int main(int count, char ** words) {
    if (count != 5) fail("expected a model, threads, micro batch and flash");
    Settings settings{words[1], std::atoi(words[2]), std::atoi(words[3]), std::atoi(words[4])};
    llama_log_set([](ggml_log_level level, const char * text, void *) {
        if (level == GGML_LOG_LEVEL_ERROR) std::fputs(text, stderr);
    }, nullptr);
    llama_backend_init();
    llama_model * model = load(settings);
    std::printf("ready %s\n", llama_print_system_info());
    std::fflush(stdout);
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream rest(line);
        std::string command;
        rest >> command;
        double taken = 0.0;
        if (command == "prefill") taken = prefill(model, settings, rest);
        else if (command == "decode") taken = decode(model, settings, rest);
        else if (command == "logits") taken = logits(model, settings, rest);
        else fail("unknown command " + command);
        std::printf("ok %.9f\n", taken);
        std::fflush(stdout);
    }
    return 0;
}
