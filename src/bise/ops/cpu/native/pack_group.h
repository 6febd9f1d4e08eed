// Quantising one group of one panel. Compiled once for every variant: the loops over the outputs
// become vectors.
#pragma once

#include <algorithm>
#include <cmath>

#include "matrix_layout.h"

namespace bise {

// 32 inputs of 32 outputs.
struct alignas(64) Patch {
    float values[GROUP][PANEL];
};

// Write a group's scales and tiles.
struct Packers {
    void (*bf16)(const Patch& patch, uint8_t* group);
    void (*int8)(const Patch& patch, uint8_t* group);
    void (*int4)(const Patch& patch, uint8_t* group);
};
const Packers& packers_portable();
const Packers& packers_avx2();
const Packers& packers_avx512();

namespace {

using Lanes = float[PANEL];

constexpr float MAGIC = 12582912.0f;  // 1.5 * 2^23: adding it rounds to whole numbers

inline float rounded(float value, float lowest, float highest) {
    value = value < lowest ? lowest : value > highest ? highest : value;
    return (value + MAGIC) - MAGIC;
}

// Scales as they are stored: fp16, at the start of the group. Returns them, and their inverses.
inline void store_scales(const Lanes& wanted, uint8_t* group, Lanes& inverse) {
    for (int o = 0; o < PANEL; ++o) {
        const uint16_t half = to_half(wanted[o]);
        std::memcpy(group + 2 * o, &half, 2);
        const float scale = from_half(half);
        inverse[o] = scale != 0.0f ? 1.0f / scale : 0.0f;
    }
}

// Four bytes of every output go where the two tiles have their 64 bytes number `row`.
using Words = uint32_t[PANEL];
inline void store_words(WeightType type, const Words& words, int row, uint8_t* group) {
    uint8_t* at = group + head_bytes(type) + 64 * row;
    std::memcpy(at, words, 64);
    std::memcpy(at + tile_bytes(type), words + TILE, 64);
}

inline void pack_bf16(const Patch& patch, uint8_t* group) {
    for (int pair = 0; pair < GROUP / 2; ++pair) {
        alignas(64) Words words;
        for (int o = 0; o < PANEL; ++o)
            words[o] = to_bf16(patch.values[2 * pair][o]) |
                       uint32_t(to_bf16(patch.values[2 * pair + 1][o])) << 16;
        store_words(BF16, words, pair, group);
    }
}

inline void pack_int8(const Patch& patch, uint8_t* group) {
    alignas(64) Lanes most = {}, inverse;
    for (int k = 0; k < GROUP; ++k)
        for (int o = 0; o < PANEL; ++o) {
            const float size = std::fabs(patch.values[k][o]);
            most[o] = most[o] < size ? size : most[o];
        }
    for (int o = 0; o < PANEL; ++o) most[o] *= 1.0f / 127.0f;
    store_scales(most, group, inverse);
    for (int quad = 0; quad < QUADS; ++quad) {
        alignas(64) Words words = {};
        for (int k = 0; k < 4; ++k)
            for (int o = 0; o < PANEL; ++o) {
                const float value = patch.values[4 * quad + k][o] * inverse[o];
                const int whole = int(rounded(value, -127.0f, 127.0f)) + zero_point(INT8);
                words[o] |= uint32_t(whole) << (8 * k);
            }
        store_words(INT8, words, quad, group);
    }
}

// The number of each output that is farthest from zero, with its sign.
inline void find_extremes(const Patch& patch, Lanes& extreme) {
    for (int o = 0; o < PANEL; ++o) extreme[o] = 0.0f;
    for (int k = 0; k < GROUP; ++k)
        for (int o = 0; o < PANEL; ++o) {
            const float value = patch.values[k][o];
            extreme[o] = std::fabs(value) > std::fabs(extreme[o]) ? value : extreme[o];
        }
}

// For numbers rounded at a given inverse scale: the scale that fits them best, and how much of the
// sum of squares it explains.
inline void fit(const Patch& patch, const Lanes& inverse, Lanes& scale, Lanes& explained) {
    alignas(64) Lanes with_value = {}, with_self = {};
    for (int k = 0; k < GROUP; ++k)
        for (int o = 0; o < PANEL; ++o) {
            const float value = patch.values[k][o];
            const float whole = rounded(value * inverse[o], -8.0f, 7.0f);
            with_value[o] += value * whole;
            with_self[o] += whole * whole;
        }
    for (int o = 0; o < PANEL; ++o) {
        scale[o] = with_self[o] > 0.0f ? with_value[o] / with_self[o] : 0.0f;
        explained[o] = scale[o] * with_value[o];
    }
}

// What the farthest number is tried as, in steps of the scale. More than 8: it will be clamped.
constexpr float TRIES[] = {-8.0f, -7.4f, -8.6f, -9.2f, -9.8f, 7.0f, 7.6f, 8.2f, 8.8f};

inline void pack_int4(const Patch& patch, uint8_t* group) {
    alignas(64) Lanes extreme, best_scale = {}, best = {}, inverse, scale, explained;
    find_extremes(patch, extreme);
    for (const float steps : TRIES) {
        for (int o = 0; o < PANEL; ++o)
            inverse[o] = std::fabs(extreme[o]) > 0x1p-100f ? steps / extreme[o] : 0.0f;
        fit(patch, inverse, scale, explained);
        for (int o = 0; o < PANEL; ++o) {
            const bool is_better = explained[o] > best[o];
            best[o] = is_better ? explained[o] : best[o];
            best_scale[o] = is_better ? scale[o] : best_scale[o];
        }
    }
    store_scales(best_scale, group, inverse);
    for (int eight = 0; eight < QUADS / 2; ++eight) {
        alignas(64) Words words = {};
        for (int k = 0; k < 8; ++k)
            for (int o = 0; o < PANEL; ++o) {
                const float value = patch.values[8 * eight + k][o] * inverse[o];
                const int whole = int(rounded(value, -8.0f, 7.0f)) + zero_point(INT4);
                words[o] |= uint32_t(whole) << (8 * (k % 4) + 4 * (k / 4));
            }
        store_words(INT4, words, eight, group);
    }
}

}  // namespace

}  // namespace bise
