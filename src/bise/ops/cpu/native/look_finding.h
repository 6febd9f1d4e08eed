// What rows of queries find in some keys, and how two findings become one.
#pragma once

#include "look_block.h"

namespace bise {
namespace {

constexpr float NOTHING = -1e38f;  // the maximum where nothing has been seen

struct Finding {
    float *maximum, *sum, *mix;

    explicit Finding(float* at) : maximum(at), sum(at + TILE), mix(at + 2 * TILE) {}
};

// Some rows of a tile: first, first + step, ...
struct RowSet {
    int64_t first, step;
};

// total and part, each relative to its own maximum, become one. Never inlined, so that it rounds
// alike for everyone who calls it.
__attribute__((noinline)) void fold(Finding total, Finding part, int64_t width, RowSet rows) {
    float keep[TILE], add[TILE];
    for (int64_t i = 0; i < TILE; i += LANES) {
        const Floats before = load(total.maximum + i), here = load(part.maximum + i);
        const Floats maximum = largest(before, here);
        const Floats kept = power_of_two(before - maximum), added = power_of_two(here - maximum);
        store(keep + i, kept);
        store(add + i, added);
        store(total.maximum + i, maximum);
        store(total.sum + i, load(total.sum + i) * kept + load(part.sum + i) * added);
    }
    for (int64_t row = rows.first; row < TILE; row += rows.step) {
        const Floats kept = spread(keep[row]), added = spread(add[row]);
        float* mix = total.mix + row * width;
        const float* more = part.mix + row * width;
        for (int64_t i = 0; i < width; i += LANES)
            store(mix + i, load(mix + i) * kept + load(more + i) * added);
    }
}

// Which of a block's keys the rows of some tiles see.
struct Sight {
    int64_t keys;            // as many as any row sees, in whole groups; 0 if none does
    int32_t last[2 * TILE];  // the last one for each row, counted from the block's first
    bool sees_all[2];        // whether every row of the tile sees all `keys`

    Sight(const LookJob& job, const Bundle& bundle, int64_t tile, int tiles, int64_t first,
          int64_t count) {
        const int64_t ahead = bundle.span->start + bundle.first - first;
        const int64_t last_token =
            at_most((tile + tiles) * TILE - 1, bundle.count * job.sharing - 1) / job.sharing;
        keys = padded(at_least(at_most(ahead + last_token + 1, count), 0), GROUP);
        for (int i = 0; i < tiles; ++i) {
            int64_t token = (tile + i) * TILE / job.sharing, head = (tile + i) * TILE % job.sharing;
            sees_all[i] = true;
            for (int64_t row = i * TILE; row < (i + 1) * TILE; ++row) {
                const int64_t seen = token < bundle.count ? at_most(ahead + token, count - 1) : -1;
                last[row] = static_cast<int32_t>(at_least(seen, -1));
                sees_all[i] &= seen >= keys - 1;
                if (++head == job.sharing) head = 0, ++token;
            }
        }
    }
};

}  // namespace
}  // namespace bise
