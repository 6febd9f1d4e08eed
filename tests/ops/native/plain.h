// What the core must compute, as plain loops over the numbers it really keeps.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "attention.h"
#include "matrix.h"
#include "matrix_layout.h"

using Numbers = std::vector<float>;

// Numbers between -size and size, always the same ones.
inline Numbers drawn(int64_t count, uint64_t seed, float size = 1.0f) {
    Numbers numbers(count);
    uint64_t state = seed * 2 + 1;
    for (float& number : numbers) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        number = size * (float(state >> 40) / float(1 << 23) - 1.0f);
    }
    return numbers;
}

inline std::vector<uint8_t> drawn_bytes(int64_t count, uint64_t seed, uint8_t below) {
    std::vector<uint8_t> bytes;
    for (const float number : drawn(count, seed, 128.0f)) {
        const int whole = int(number + 128.0f);
        bytes.push_back(uint8_t(whole % below | (below < 128 ? whole & 0x80 : 0)));
    }
    return bytes;
}

inline void check(bool claim, const char* what) {
    if (claim) return;
    std::fprintf(stderr, "wrong: %s\n", what);
    std::exit(1);
}

inline float off(const Numbers& found, const Numbers& expected) {
    float most = 0, size = 1e-30f;
    for (size_t i = 0; i < expected.size(); ++i) {
        most = std::max(most, std::isfinite(found[i]) ? std::fabs(found[i] - expected[i]) : 1e30f);
        size = std::max(size, std::fabs(expected[i]));
    }
    return most / size;
}

struct alignas(64) Line {
    uint8_t bytes[64];
};

// A packed matrix and its numbers.
struct Kept {
    std::vector<Line> lines;
    Numbers values;
    bise::Matrix matrix;

    Kept(bise::WeightType type, int64_t outputs, int64_t inputs, uint64_t seed, bool gated = false)
        : lines(bise::packed_bytes(type, outputs, inputs) / 64 + 1), values(outputs * inputs) {
        const Numbers wide = drawn(outputs * inputs, seed, 2.0f / std::sqrt(float(inputs)));
        const auto codes = drawn_bytes(outputs * inputs, seed, type == bise::FP8 ? 0x38 : 255);
        auto scales = drawn_bytes(outputs * (inputs / 16 + 1), seed + 1, 0x38);
        for (uint8_t& scale : scales) scale &= 0x7f;
        bise::Source source = {bise::FROM_F32, wide.data(), scales.data(), nullptr, 0};
        if (type >= bise::FP8) source.values = codes.data();
        if (type >= bise::FP8) source.type = type == bise::FP8 ? bise::FROM_FP8 : bise::FROM_NVFP4;
        auto* packed = lines[0].bytes;
        bise::pack(type, source, outputs, inputs, gated, packed);
        const float scale = type >= bise::FP8 ? 0.25f : 1.0f;
        matrix = {type, outputs, inputs, packed, scale, scale};
        bise::unpack(matrix, gated, values.data());
    }

    // x [rows, inputs] -> [rows, outputs]
    Numbers times(const Numbers& x) const {
        Numbers out;
        const size_t inputs = matrix.inputs;
        for (size_t row = 0; row < x.size() / inputs; ++row)
            for (int64_t output = 0; output < matrix.outputs; ++output) {
                double sum = 0;
                for (size_t i = 0; i < inputs; ++i)
                    sum += double(x[row * inputs + i]) * values[output * inputs + i];
                out.push_back(float(sum));
            }
        return out;
    }
};

struct FeedForward {
    Kept gate_up, down;
    bise::Gated gated;

    FeedForward(bise::WeightType type, int64_t dim, int64_t width, uint64_t seed)
        : gate_up(type, 2 * width, dim, seed, true),
          down(type, dim, width, seed + 7),
          gated{&gate_up.matrix, &down.matrix} {}
    FeedForward(const FeedForward&) = delete;

    Numbers operator()(const Numbers& x) const {
        const Numbers both = gate_up.times(x);
        const size_t width = down.matrix.inputs;
        Numbers hidden;
        for (size_t i = 0; i < both.size() / 2; ++i) {
            const size_t row = i / width * 2 * width, column = i % width;
            const float gate = both[row + column];
            hidden.push_back(gate / (1 + std::exp(-gate)) * both[row + width + column]);
        }
        return down.times(hidden);
    }
};

// The entry that a cache really holds.
inline Numbers entry_at(const bise::Cache& cache, int64_t entry, int64_t first_part) {
    Numbers numbers;
    for (int64_t i = 0; i < cache.width; ++i) {
        const int64_t at = entry * cache.width + i;
        const float scale = cache.scales ? cache.scales[2 * entry + (i >= first_part)] : 1.0f;
        switch (cache.type) {
            case bise::CACHE_F32: numbers.push_back(static_cast<float*>(cache.entries)[at]); break;
            case bise::CACHE_BF16:
                numbers.push_back(bise::from_bf16(static_cast<uint16_t*>(cache.entries)[at]));
                break;
            case bise::CACHE_INT8:
                numbers.push_back(scale * static_cast<int8_t*>(cache.entries)[at]);
                break;
            case bise::CACHE_FP8:
                numbers.push_back(scale *
                                  bise::from_e4m3(static_cast<uint8_t*>(cache.entries)[at]));
        }
    }
    return numbers;
}

// softmax(query . keys) of values; keys [count, width], values [count, value]
inline Numbers look(const float* query, const Numbers& keys, const Numbers& values, int64_t count,
                    float scale) {
    const size_t width = keys.size() / count, value = values.size() / count;
    std::vector<double> scores(count, 0), sums(value, 0);
    for (int64_t key = 0; key < count; ++key)
        for (size_t i = 0; i < width; ++i)
            scores[key] += double(query[i]) * keys[key * width + i] * scale;
    const double most = *std::max_element(scores.begin(), scores.end());
    double total = 0;
    for (int64_t key = 0; key < count; ++key) {
        const double weight = std::exp(scores[key] - most);
        total += weight;
        for (size_t i = 0; i < value; ++i) sums[i] += weight * values[key * value + i];
    }
    Numbers out;
    for (const double sum : sums) out.push_back(float(sum / total));
    return out;
}
