// The core without Python: everything against plain loops, on every variant this processor has, then
// from several threads at once, where everybody must get the bits they get alone.
//
// Ran under ThreadSanitizer, and under qemu for a processor we do not have.
#include <atomic>
#include <cstring>
#include <functional>
#include <thread>

#include "isa.h"
#include "pool.h"
#include "rows.h"
#include "small_eye.h"
#include "small_network.h"

using namespace bise;

namespace {

constexpr WeightType TYPES[] = {BF16, INT8, INT4, FP8, NVFP4};

// Of products, by rounding their inputs.
float allowed(WeightType type) {
    const bool rounds_to_bytes = type == INT8 || type == INT4 || type == NVFP4;
    return rounds_to_bytes ? 0.02f : isa() >= AVX512 ? 0.01f : 1e-5f;
}

Numbers product_of(const Kept& kept, const Numbers& x) {
    const int64_t rows = int64_t(x.size()) / kept.matrix.inputs;
    Numbers out(rows * kept.matrix.outputs);
    const Product product = {&kept.matrix, out.data(), kept.matrix.outputs};
    products({x.data(), rows, kept.matrix.inputs, kept.matrix.inputs}, &product, 1);
    return out;
}

void check_products(WeightType type) {
    const Kept kept(type, 75, 80, 1);
    for (const int64_t rows : {1, 3, 17, 70}) {
        const Numbers x = drawn(rows * 80, 2);
        check(off(product_of(kept, x), kept.times(x)) < allowed(type), "a product");
    }
}

void check_mixture(WeightType type) {
    std::deque<FeedForward> layers;
    std::vector<Gated> gated;
    for (int i = 0; i < 4; ++i) layers.emplace_back(type, 48, 32, 10 * i);
    for (const FeedForward& one : layers) gated.push_back(one.gated);
    const Mixture mixed = {gated.data(), 3, &gated[3]};
    for (const int64_t rows : {1, 2, 40}) {
        const Numbers x = drawn(rows * 48, 5), weights = drawn(rows * 2, 6);
        std::vector<int32_t> choice;
        for (int64_t row = 0; row < rows; ++row)
            choice.insert(choice.end(), {int32_t(row % 3), int32_t(row % 2 == 0 ? 2 - row % 3 : 0)});
        Numbers out(rows * 48), expected = layers[3](x);
        mixture({x.data(), rows, 48, 48}, mixed, choice.data(), weights.data(), 2, out.data(), 48);
        for (int64_t slot = 0; slot < rows * 2; ++slot) {
            const auto row = x.begin() + slot / 2 * 48;
            const Numbers said = layers[choice[slot]]({row, row + 48});
            for (int64_t i = 0; i < 48; ++i)
                expected[slot / 2 * 48 + i] += weights[slot] * said[i];
        }
        check(off(out, expected) < 2 * allowed(type), "a mixture");
    }
}

// Pages of 5 tokens that are not in order.
struct Paged {
    std::vector<Line> memory;
    Numbers scales;
    Cache cache;
    std::vector<int64_t> pages;

    Paged(CacheType type, int64_t width, int64_t tokens)
        : memory(tokens * width * 4 / 64 + width), scales((tokens + 10) * 2) {
        for (int64_t page = tokens / 5; page >= 0; --page) pages.push_back(page);
        const bool has_scales = type == CACHE_INT8 || type == CACHE_FP8;
        cache = {type, memory.data(), has_scales ? scales.data() : nullptr, 5, width};
    }

    Numbers entry(int64_t position, int64_t first_part) const {
        return entry_at(cache, pages[position / 5] * 5 + position % 5, first_part);
    }
};

void check_attention(CacheType type) {
    constexpr int64_t TOKENS = 150;
    const float error = type == CACHE_F32 || isa() < AVX512 ? 1e-4f : 3e-2f;
    Paged paged(type, LATENT_WIDTH, TOKENS);
    const Numbers entries = drawn(TOKENS * LATENT_WIDTH, 3);
    const Span all = {0, TOKENS, paged.pages.data()};
    write_cache(paged.cache, &all, 1, entries.data(), LATENT.latent);
    Numbers up = drawn(HEADS * UP * LATENT.latent, 4, 0.4f);
    for (float& number : up) number = from_bf16(bf16_of(number));
    std::vector<Line> packed(latent_up_bytes(LATENT) / 64 + 1);
    pack_latent_up(LATENT, up.data(), false, packed[0].bytes);
    for (const int64_t count : {int64_t(1), int64_t(3), TOKENS}) {
        const int64_t start = TOKENS - count;
        const Span span = {start, count, paged.pages.data()};
        const Numbers query = drawn(count * HEADS * QUERY, 5);
        Numbers out(count * HEADS * LATENT.value), expected;
        latent_attention(LATENT, {packed[0].bytes}, paged.cache, &span, 1, query.data(),
                         out.data());
        for (int64_t row = 0; row < count * HEADS; ++row) {
            Numbers keys, values;
            const int64_t seen = start + row / HEADS + 1;
            for (int64_t key = 0; key < seen; ++key)
                make_key_and_value(up, row % HEADS, paged.entry(key, LATENT.latent).data(), keys,
                                   values);
            const Numbers found = look(&query[row * QUERY], keys, values, seen, SCALE);
            expected.insert(expected.end(), found.begin(), found.end());
        }
        check(off(out, expected) < error, "latent attention");
    }
}

// Passes over a text cut into pieces. Everything a pass needs is its own, but for the network.
Numbers passed(const SmallNetwork& small, const std::vector<int64_t>& ids, int64_t piece,
               CacheType type, bool is_exact) {
    const int64_t tokens = int64_t(ids.size());
    std::deque<Paged> caches;
    std::vector<Cache> listed;
    for (int64_t layer = 0; layer < LAYERS; ++layer)
        listed.push_back(caches.emplace_back(type, small.width(), tokens).cache);
    std::vector<Line> memory(pass_bytes(small.network, piece) / 64 + 1);
    std::vector<int64_t> wanted(piece);
    std::iota(wanted.begin(), wanted.end(), 0);
    Numbers logits(tokens * VOCAB);
    for (int64_t start = 0; start < tokens; start += piece) {
        const int64_t count = std::min(piece, tokens - start);
        const Span span = {start, count, caches[0].pages.data()};
        Pass pass = {};
        pass.num_tokens = pass.num_wanted = count;
        pass.ids = &ids[start], pass.spans = &span, pass.num_spans = 1;
        pass.caches = listed.data(), pass.wanted = wanted.data();
        pass.logits = &logits[start * VOCAB], pass.is_exact = is_exact;
        run_pass(small.network, pass, memory[0].bytes);
    }
    return logits;
}

std::vector<int64_t> text_of(int64_t count, int64_t seed) {
    std::vector<int64_t> ids;
    for (int64_t i = 0; i < count; ++i) ids.push_back((i * i * 7 + seed * (i + 3)) % VOCAB);
    return ids;
}

void check_passes(bool is_latent) {
    const SmallNetwork small(is_latent, BF16);
    const auto ids = text_of(24, 5);
    const Numbers whole = passed(small, ids, 24, CACHE_F32, false);
    if (isa() < AVX512)  // beyond, inputs are rounded, and a close choice of experts may turn
        check(off(whole, small.logits(ids)) < 1e-4f, "a pass");
    const Numbers exact = passed(small, ids, 24, CACHE_BF16, true);
    check(exact == passed(small, ids, 1, CACHE_BF16, true), "an exact pass, token by token");
    check(exact == passed(small, ids, 7, CACHE_BF16, true), "an exact pass in pieces");
}

// What an eye sees of some pictures, [tokens, vector] of all.
Numbers seen_by(const SmallEye& small, const std::vector<Picture>& pictures) {
    int64_t patches = 0;
    for (const Picture& one : pictures) patches += one.rows * one.cols;
    Numbers vectors(patches / 4 * small.eye.vector_dim);
    see(small.eye, pictures.data(), int64_t(pictures.size()), vectors.data());
    return vectors;
}

void check_eye(WeightType type) {
    const SmallEye small(type);
    Numbers expected;
    std::vector<Picture> pictures;
    std::deque<Numbers> pixels;
    for (const auto& [rows, cols] : {std::pair{2, 2}, {4, 10}, {20, 18}}) {
        pixels.push_back(small.picture(rows, cols, rows));
        pictures.push_back({pixels.back().data(), rows, cols});
        const Numbers plain = small.vectors(pixels.back(), rows, cols);
        check(off(seen_by(small, {pictures.back()}), plain) < 4 * allowed(type), "a picture");
        expected.insert(expected.end(), plain.begin(), plain.end());
    }
    check(off(seen_by(small, pictures), expected) < 4 * allowed(type), "pictures in company");
}

void check_everything() {
    for (const WeightType type : {BF16, INT8}) check_eye(type);
    for (const WeightType type : TYPES) {
        check_products(type);
        check_mixture(type);
    }
    for (const CacheType type : {CACHE_F32, CACHE_BF16, CACHE_INT8, CACHE_FP8})
        check_attention(type);
    check_passes(true);
    check_passes(false);
}

// Every index is met once, also while others change the number of workers.
void count_tasks() {
    std::vector<std::atomic<int>> hits(301);
    for (int repeat = 0; repeat < 20; ++repeat)
        parallel(301, [&](int64_t index, int worker) {
            static_cast<char*>(scratch(worker, 4, 100 + index))[index / 4] = 1;
            ++hits[index];
        });
    for (const auto& count : hits) check(count == 20, "a task was met once a call");
}

// Does the same again and again: alone, then beside the others.
struct Job {
    std::function<Numbers()> work;
    Numbers alone;
};

void check_threads(int repeats) {
    const SmallNetwork latent(true, INT8), grouped(false, BF16);
    const Kept kept(BF16, 75, 80, 1), bytes(INT4, 300, 200, 2);
    const Numbers few = drawn(2 * 80, 3), many = drawn(90 * 80, 4), wide = drawn(30 * 200, 5);
    std::vector<Job> jobs;
    for (int i = 0; i < 2; ++i) {
        const auto ids = text_of(20 + i, i);
        const bool is_exact = i == 1;
        jobs.push_back({[&latent, ids, is_exact] {
                            return passed(latent, ids, 10, CACHE_INT8, is_exact);
                        }, {}});
        jobs.push_back({[&grouped, ids, is_exact] {
                            return passed(grouped, ids, 3, CACHE_BF16, is_exact);
                        }, {}});
    }
    for (const Numbers* x : {&few, &many})
        jobs.push_back({[&kept, x] { return product_of(kept, *x); }, {}});
    jobs.push_back({[&] { return product_of(bytes, wide); }, {}});
    const SmallEye eye(BF16);
    const Numbers pixels = eye.picture(12, 14, 1);
    jobs.push_back({[&] { return seen_by(eye, {{pixels.data(), 12, 14}}); }, {}});
    for (Job& job : jobs) std::thread([&job] { job.alone = job.work(); }).join();
    std::vector<std::thread> threads;
    for (const Job& job : jobs)
        threads.emplace_back([&job, repeats] {
            for (int repeat = 0; repeat < repeats; ++repeat)
                check(job.work() == job.alone, "the same bits beside others");
        });
    threads.emplace_back([repeats] {
        for (int repeat = 0; repeat < repeats; ++repeat) {
            set_workers(repeat % 3);
            count_tasks();
        }
        set_workers(0);
    });
    for (std::thread& thread : threads) thread.join();
}

}  // namespace

int main(int count, char** arguments) {
    const int repeats = count > 1 ? std::atoi(arguments[1]) : 10;
    for (int one = PORTABLE; one <= best_isa(); ++one) {
        check(use_isa(Isa(one)), "a variant is to be had");
        check_everything();
        check_threads(repeats);
        std::printf("%s is right\n", isa_name(Isa(one)));
    }
}
