// Looking in bf16 with sums in fp32. `Engine` multiplies: by AVX-512 dot products, or on tiles.
#pragma once

#include "look_entries.h"
#include "look_products.h"

#if defined(__AVX512BF16__)

namespace bise {
namespace {

template <class Engine>
struct Bf16 {
    using Number = uint16_t;
    static constexpr int64_t BLOCK = 256;

    static Floats power(Floats x) { return rough_power_of_two(x); }

    static void begin() { Engine::begin(); }

    template <class... Between>
    static void product(RowGroups<uint16_t> left, int64_t rows, Panels<uint16_t> right,
                        int64_t panels, int64_t depth, Sums out, Between... between) {
        Engine::product(left, rows, right, panels, depth, out, between...);
    }

    static void up_product(RowGroups<uint16_t> left, int64_t rows, const uint16_t* right,
                           int64_t panels, int64_t depth, Sums out) {
        product(left, rows, {right, PANEL * depth, 2 * PANEL}, panels, depth, out);
    }

    static Panels<uint16_t> query_panels(const uint16_t* tiles, int64_t depth) {
        return {tiles, PANEL * depth, 2 * PANEL};
    }

    // A tile of queries [depth / 2][row][2].
    static void put_lane(uint16_t* tile, int64_t lane, const uint16_t* numbers, int64_t depth) {
        for (int64_t i = 0; i < depth; i += 2)
            std::memcpy(tile + i * PANEL + lane * 2, numbers + i, 2 * sizeof(uint16_t));
    }

    static constexpr bool WANTS_PANELS = true, HELPS = Engine::HELPS;

    // Weights [key / 2][row][2].
    static void keep_weights(float* weights, int64_t key, int, Floats even, Floats odd) {
        const Ints low = ((Ints)even + 0x8000) >> 16;  // weights are not negative: half goes up
        const Ints high = ((Ints)odd + 0x8000) & static_cast<int32_t>(0xffff0000u);
        store(weights + key / 2 * TILE, (Floats)(low | high));
    }

    template <class... Between>
    static void mix(const float* weights, int tiles, int64_t keys, Panels<uint16_t> values,
                    int64_t panels, Sums out, int64_t tile_stride, Between... between) {
        Engine::template mix<BLOCK>(reinterpret_cast<const uint32_t*>(weights), tiles, keys, values,
                                    panels, out, tile_stride, between...);
    }

    // Two rows, padded to whole panels, become a line of pairs in each panel.
    static void weave(const uint16_t* even, const uint16_t* odd, int64_t panels, uint16_t* to,
                      int64_t panel_stride) {
        for (int64_t panel = 0; panel < panels; ++panel, to += panel_stride) {
            const auto* a = reinterpret_cast<const __m256i*>(even + panel * PANEL);
            const auto* b = reinterpret_cast<const __m256i*>(odd + panel * PANEL);
            const __m512i low = _mm512_cvtepu16_epi32(_mm256_loadu_si256(a));
            const __m512i high = _mm512_cvtepu16_epi32(_mm256_loadu_si256(b));
            _mm512_storeu_si512(to, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
        }
    }
};

struct DotProducts {
    static constexpr bool HELPS = false;

    static void begin() {}

    static void product(RowGroups<uint16_t> left, int64_t rows, Panels<uint16_t> right,
                        int64_t panels, int64_t depth, Sums out) {
        for (int64_t row = 0; row < rows; row += TILE) {
            const auto* pairs = reinterpret_cast<const uint32_t*>(left.groups[row / TILE]);
            multiply<PairSteps>({pairs, left.stride / 2, 1}, at_most(TILE, rows - row), right,
                                panels, depth / 2, {out.start + row * out.stride, out.stride});
        }
    }

    template <int64_t block>
    static void mix(const uint32_t* weights, int tiles, int64_t keys, Panels<uint16_t> values,
                    int64_t panels, Sums out, int64_t tile_stride) {
        for (int tile = 0; tile < tiles; ++tile) {
            multiply<PairSteps>({weights, 1, TILE}, TILE, values, panels, keys / 2, out);
            weights += block * TILE;
            out.start += tile_stride;
        }
    }
};

}  // namespace
}  // namespace bise

#endif
