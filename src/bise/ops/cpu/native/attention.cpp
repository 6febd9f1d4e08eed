// Who looks at what: spans become bundles of tiles, bundles become tasks for the workers.
#include "attention.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "isa.h"
#include "look.h"
#include "look_layout.h"
#include "pool.h"

namespace bise {

LookVariant look_variant() {
    switch (isa()) {
#if defined(__x86_64__)
        case AMX: return look_amx();
        case AVX512: return look_avx512();
        case AVX2: return look_avx2();
#endif
        default: return look_portable();
    }
}

namespace {

constexpr int64_t MOST_RANGES = 32;    // keys of a token are cut into up to so many ranges
constexpr int64_t TASKS_A_WORKER = 3;  // enough of them, that nobody is idle for long
// Of a bundle, by form: what an L2 cache of 1 to 2 MB holds.
constexpr int64_t MOST_TILES[] = {64, 32, 64};

thread_local bool is_exact = false;

struct LookTask {
    const Bundle* bundle;
    int64_t range;
    int64_t work;
};

struct Plan {
    const LookJob& job;
    const LookKernels& kernels;
    std::vector<Bundle> bundles = {};
    std::vector<LookTask> looks = {};
    std::vector<BundleToken> tokens = {};   // ABSORBED: all of them
    std::vector<const Bundle*> apart = {};  // others: the bundles that several workers look up

    int64_t range_keys(int64_t position) const {
        const int64_t blocks = position / kernels.block + 1;
        return (blocks + MOST_RANGES - 1) / MOST_RANGES * kernels.block;
    }

    // Tokens first .. first + count of a span, at every seat; all with ranges of one length.
    void add(const Span& span, int64_t first, int64_t count, int64_t row) {
        const int64_t last = span.start + first + count - 1, length = range_keys(last);
        const int64_t num_tiles = padded(count * job.sharing, TILE) / TILE;
        for (int64_t seat = 0; seat < job.seats; ++seat)
            bundles.push_back({&span, first, count, row, seat, last / length + 1, length, num_tiles,
                               nullptr, nullptr, true});
    }

    void add_span(const Span& span, int64_t row, int64_t most_tokens) {
        for (int64_t first = 0; first < span.count;) {
            const int64_t length = range_keys(span.start + first);
            int64_t count = 1;
            while (count < std::min(most_tokens, span.count - first) &&
                   range_keys(span.start + first + count) == length)
                ++count;
            add(span, first, count, row + first);
            first += count;
        }
    }

    int64_t work(const Bundle& bundle) const { return bundle.tiles * (bundle.last_position() + 1); }

    int64_t findings_of(const Bundle& bundle) const {
        return bundle.tiles * (bundle.is_folded ? 1 : bundle.num_ranges) * finding_numbers(job);
    }

    // A bundle that alone would keep a worker busy too long is looked up range by range.
    void divide() {
        int64_t total = 0;
        for (const Bundle& bundle : bundles) total += work(bundle);
        for (Bundle& bundle : bundles) {
            bundle.is_folded = work(bundle) * TASKS_A_WORKER * num_workers() <= total;
            const int64_t count = bundle.is_folded ? 1 : bundle.num_ranges;
            for (int64_t range = 0; range < count; ++range)
                looks.push_back({&bundle, range, work(bundle) / count});
            if (job.form == ABSORBED)
                for (int64_t token = 0; token < bundle.count; ++token)
                    tokens.push_back({&bundle, token});
            else if (!bundle.is_folded)
                apart.push_back(&bundle);
        }
        const auto is_longer = [](const LookTask& a, const LookTask& b) { return a.work > b.work; };
        std::stable_sort(looks.begin(), looks.end(), is_longer);
    }

    // Memory for what several workers share.
    void place() {
        const int64_t query_bytes = kernels.query_bytes(job);
        const auto is_shared = [this](const Bundle& b) {
            return job.form == ABSORBED || !b.is_folded;
        };
        int64_t tiles = 0, findings = 0;
        for (const Bundle& bundle : bundles)
            if (is_shared(bundle)) tiles += bundle.tiles, findings += findings_of(bundle);
        auto* queries = static_cast<uint8_t*>(caller_memory(0, tiles * query_bytes));
        auto* found = static_cast<float*>(caller_memory(1, findings * 4));
        for (Bundle& bundle : bundles) {
            if (!is_shared(bundle)) continue;
            bundle.queries = queries;
            bundle.findings = found;
            queries += bundle.tiles * query_bytes;
            found += findings_of(bundle);
        }
    }
};

const LookKernels& kernels_for(const LookJob& job, const LookVariant& chosen) {
    constexpr int64_t WHOLE = 64;  // bytes of a tile's row
    const Cache& cache = *job.cache;
    if (cache.type == CACHE_F32) return chosen.in_fp32;
    const bool are_whole = job.first_part % WHOLE == 0 && cache.width % WHOLE == 0 &&
                           cache.page_tokens % TILE == 0;
    const bool in_bytes = job.form == ABSORBED && cache.type == CACHE_INT8 && are_whole;
    return in_bytes ? chosen.in_bytes : chosen.in_bf16;
}

struct Placed {
    const Span* span;
    int64_t row;  // of its first token in query and out
};

template <class T, class F>
void for_all(const std::vector<T>& all, F body) {
    parallel(static_cast<int64_t>(all.size()),
             [&](int64_t i, int worker) { body(all[i], worker); });
}

// body(tokens, count, head, worker) for every head and all tokens, some at a time.
template <class F>
void for_heads(const Plan& plan, F body) {
    constexpr int64_t CHUNK = 64;
    const int64_t count = static_cast<int64_t>(plan.tokens.size()),
                  chunks = (count + CHUNK - 1) / CHUNK;
    parallel(chunks * plan.job.sharing, [&](int64_t index, int worker) {
        const int64_t first = index % chunks * CHUNK;
        body(&plan.tokens[first], std::min(CHUNK, count - first), index / chunks, worker);
    });
}

void look_back(const LookJob& job, const std::vector<Placed>& spans) {
    const LookVariant chosen = look_variant();
    const LookKernels& kernels = kernels_for(job, chosen);
    Plan plan{job, kernels};
    int64_t rows = 0;
    for (const Placed& one : spans) rows += one.span->count * job.heads();
    const int64_t fair = rows / TILE / (TASKS_A_WORKER * num_workers());
    const int64_t most_tiles = std::clamp<int64_t>(fair, 8, MOST_TILES[job.form]);
    for (const Placed& one : spans)
        plan.add_span(*one.span, one.row, std::max<int64_t>(1, most_tiles * TILE / job.sharing));
    plan.divide();
    plan.place();
    for_heads(plan, [&](auto... part) { kernels.absorb(job, part...); });
    for_all(plan.apart, [&](const Bundle* one, int worker) { kernels.ask(job, *one, worker); });
    for_all(plan.looks, [&](const LookTask& one, int worker) {
        kernels.look(job, *one.bundle, one.range, worker);
    });
    for_all(plan.apart, [&](const Bundle* one, int worker) { kernels.answer(job, *one, worker); });
    for_heads(plan, [&](auto... part) { kernels.give_values(job, part...); });
}

// Multiplying a span's entries up costs as much as so many looks at a key cost less.
bool pays_to_expand(const LatentShape& shape, const Span& span) {
    const int64_t keys = padded(span.start + span.count, 2 * TILE);
    const int64_t seen = span.start + span.count / 2 + 1;  // by a token, on average
    const int64_t a_key = shape.latent * (shape.nope + shape.value);
    const int64_t saved = 2 * shape.latent - shape.nope - shape.value;
    return span.count * seen * saved + span.count * a_key > keys * a_key;
}

}  // namespace

bool use_exact_attention(bool wanted) { return std::exchange(is_exact, wanted); }

void latent_attention(const LatentShape& shape, const LatentUp& up, const Cache& cache,
                      const Span* spans, int64_t num_spans, const float* query, float* out) {
    std::vector<Placed> few, many;
    int64_t row = 0;
    for (int64_t i = 0; i < num_spans; row += spans[i++].count) {
        const bool expands = !is_exact && spans[i].count > 1 && pays_to_expand(shape, spans[i]);
        (expands ? many : few).push_back({&spans[i], row});
    }
    const auto* packed = reinterpret_cast<const uint16_t*>(up.packed);
    LookJob job = {};
    job.first_part = shape.latent;
    job.scale = shape.scale;
    job.shape = shape;
    job.up = packed;
    job.cache = &cache;
    job.query = query;
    job.out = out;
    job.form = ABSORBED;
    job.seats = 1;
    job.sharing = shape.heads;
    job.key = shape.latent + shape.rope;
    job.value = shape.latent;
    look_back(job, few);
    job.form = EXPANDED;
    job.seats = shape.heads;
    job.sharing = 1;
    job.key = shape.nope + shape.rope;
    job.value = shape.value;
    look_back(job, many);
}

void grouped_attention(const GroupedShape& shape, const Cache& cache, const Span* spans,
                       int64_t num_spans, const float* query, float* out) {
    std::vector<Placed> all;
    int64_t row = 0;
    for (int64_t i = 0; i < num_spans; row += spans[i++].count) all.push_back({&spans[i], row});
    LookJob job = {};
    job.form = RAW;
    job.seats = shape.kv_heads;
    job.sharing = shape.heads / shape.kv_heads;
    job.key = job.value = shape.head_dim;
    job.first_part = shape.kv_heads * shape.head_dim;
    job.scale = shape.scale;
    job.cache = &cache;
    job.query = query;
    job.out = out;
    look_back(job, all);
}

}  // namespace bise
