// Looking in fp32, on any processor.
#pragma once

#include "look_entries.h"
#include "look_products.h"

namespace bise {
namespace {

struct Fp32 {
    using Number = float;
    static constexpr int64_t BLOCK = 128;

    static Floats power(Floats x) { return power_of_two(x); }

    static void begin() {}

    static void product(RowGroups<float> left, int64_t rows, Panels<float> right, int64_t panels,
                        int64_t depth, Sums out) {
        for (int64_t row = 0; row < rows; row += TILE)
            multiply<FloatSteps>({left.groups[row / TILE], left.stride, 1},
                                 at_most(TILE, rows - row), right, panels, depth,
                                 {out.start + row * out.stride, out.stride});
    }

    static void up_product(RowGroups<float> left, int64_t rows, const uint16_t* right,
                           int64_t panels, int64_t depth, Sums out) {
        const Panels<uint16_t> up = {right, PANEL * depth, 2 * PANEL};
        for (int64_t row = 0; row < rows; row += TILE)
            multiply<MixedSteps>({left.groups[row / TILE], left.stride, 1},
                                 at_most(TILE, rows - row), up, panels, depth / 2,
                                 {out.start + row * out.stride, out.stride});
    }

    static Panels<float> query_panels(const float* tiles, int64_t depth) {
        return {tiles, PANEL * depth, PANEL};
    }

    // A tile of queries [depth][row].
    static void put_lane(float* tile, int64_t lane, const float* numbers, int64_t depth) {
        for (int64_t i = 0; i < depth; ++i) tile[i * PANEL + lane] = numbers[i];
    }

    // Rows are their own panels: a line is a piece of a row.
    static constexpr bool WANTS_PANELS = false, HELPS = false;

    // Weights [key][row].
    static void keep_weights(float* weights, int64_t key, int part, Floats even, Floats odd) {
        store(weights + key * TILE + part * LANES, even);
        store(weights + (key + 1) * TILE + part * LANES, odd);
    }

    // out: [tiles] at a stride, each [TILE rows, panels]
    static void mix(const float* weights, int tiles, int64_t keys, Panels<float> values,
                    int64_t panels, Sums out, int64_t tile_stride) {
        for (int tile = 0; tile < tiles; ++tile) {
            multiply<FloatSteps>({weights, 1, TILE}, TILE, values, panels, keys, out);
            weights += BLOCK * TILE;
            out.start += tile_stride;
        }
    }
};

}  // namespace
}  // namespace bise
