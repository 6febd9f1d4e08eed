// The kernels of choose_kernels.h over vectors of any width. Private to each file that includes it.
#pragma once

#include <limits>

#include "choose_kernels.h"
#include "look_vector.h"

namespace bise {
namespace {

constexpr int64_t AHEAD = 1024;  // logits asked for before they are looked at
constexpr float NEVER = -std::numeric_limits<float>::infinity();

// Up to LANES numbers; where there are fewer, the rest can never be said.
inline Floats load_some(const float* from, int64_t count) {
    float lanes[LANES];
    for (int i = 0; i < LANES; ++i) lanes[i] = i < count ? from[i] : NEVER;
    return load(lanes);
}

inline void store_some(float* to, Floats values, int64_t count) {
    std::memcpy(to, &values, at_most(count, LANES) * 4);
}

float largest_of(const float* x, int64_t count) {
    Floats tops[4] = {spread(NEVER), spread(NEVER), spread(NEVER), spread(NEVER)};
    int64_t i = 0;
    for (; i + 4 * LANES <= count; i += 4 * LANES)
        for (int part = 0; part < 4; ++part) {
            __builtin_prefetch(x + i + part * LANES + AHEAD);
            tops[part] = largest(load(x + i + part * LANES), tops[part]);
        }
    for (; i < count; i += LANES) tops[0] = largest(load_some(x + i, count - i), tops[0]);
    return highest(largest(largest(tops[0], tops[1]), largest(tops[2], tops[3])));
}

inline Floats chances_of(Floats x, Curve curve, float least) {
    const Floats chances = power_of_two((x - curve.top) * curve.steepness);
    return (Floats)((Ints)chances & (x >= least));
}

float weigh(const float* x, int64_t count, Curve curve, float least, float* chances) {
    Floats sum = {};
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        const Floats some = chances_of(load(x + i), curve, least);
        store(chances + i, some);
        sum = sum + some;
    }
    if (i < count) {
        const Floats some = chances_of(load_some(x + i, count - i), curve, least);
        store_some(chances + i, some, count - i);
        sum = sum + some;
    }
    return total(sum);
}

void sort_out(const float* x, int64_t count, Curve curve, int32_t* bins) {
    const float width = curve.steepness * BINS_PER_HALVING;
    for (int64_t i = 0; i < count; ++i) {
        const float depth = (curve.top - x[i]) * width;
        bins[i] = static_cast<int32_t>(depth < CHOICE_BINS - 1 ? depth : CHOICE_BINS - 1);
    }
}

constexpr ChooseKernels CHOOSE_KERNELS = {largest_of, weigh, sort_out};

}  // namespace
}  // namespace bise
