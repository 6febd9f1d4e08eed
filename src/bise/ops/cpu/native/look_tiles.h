// Products on AMX tiles. All eight tiles are full, so left sides must have whole tiles of rows in
// memory, and outputs room for them; rows beyond those asked for are noise.
#pragma once

#include "look_bf16.h"
#include "tiles.h"

#if defined(__x86_64__)

namespace bise {
namespace {

struct Nothing {
    void operator()() const {}
};

// Up to 2 x 2 tiles of sums (tiles 0-3) stay put over all the depth; 4, 5 are left, 6, 7 right.
// `between` is called while tiles multiply.
template <int rows, int panels, class Between>
void multiply_tile_block(const uint16_t* const* left, int64_t left_stride, Panels<uint16_t> right,
                         int64_t depth, float* const* out, int64_t out_stride, Between between) {
    constexpr bool low = rows == 2, wide = panels == 2;
    zero_tile<0>();
    if constexpr (wide) zero_tile<1>();
    if constexpr (low) zero_tile<2>();
    if constexpr (low && wide) zero_tile<3>();
    for (int64_t at = 0; at < depth; at += DEPTH) {
        const uint16_t* line = right.start + at / 2 * right.line_stride;
        load_tile<6>(line, right.line_stride * 2);
        load_tile<4>(left[0] + at, left_stride * 2);
        multiply_tiles<0, 4, 6>();
        if constexpr (wide) load_tile<7>(line + right.panel_stride, right.line_stride * 2);
        if constexpr (wide) multiply_tiles<1, 4, 7>();
        if constexpr (low) load_tile<5>(left[1] + at, left_stride * 2);
        if constexpr (low) multiply_tiles<2, 5, 6>();
        if constexpr (low && wide) multiply_tiles<3, 5, 7>();
        between();
    }
    store_tile<0>(out[0], out_stride * 4);
    if constexpr (wide) store_tile<1>(out[0] + PANEL, out_stride * 4);
    if constexpr (low) store_tile<2>(out[1], out_stride * 4);
    if constexpr (low && wide) store_tile<3>(out[1] + PANEL, out_stride * 4);
}

template <int rows, class Between>
void multiply_tile_rows(const uint16_t* const* left, int64_t left_stride, Panels<uint16_t> right,
                        int64_t panels, int64_t depth, float* const* begin, int64_t out_stride,
                        Between between) {
    float* out[2] = {begin[0], begin[1]};
    for (; panels >= 2; panels -= 2) {
        multiply_tile_block<rows, 2>(left, left_stride, right, depth, out, out_stride, between);
        right.start += 2 * right.panel_stride;
        out[0] += 2 * PANEL;
        out[1] += 2 * PANEL;
    }
    if (panels > 0)
        multiply_tile_block<rows, 1>(left, left_stride, right, depth, out, out_stride, between);
}

// 16 x 16 numbers of 32 bits, rows for columns.
inline void transpose(const uint32_t* from, int64_t from_stride, uint32_t* to, int64_t to_stride) {
    __m512i a[16], b[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) a[i] = _mm512_loadu_si512(from + i * from_stride);
#pragma GCC unroll 8
    for (int i = 0; i < 16; i += 2) {
        b[i] = _mm512_unpacklo_epi32(a[i], a[i + 1]);
        b[i + 1] = _mm512_unpackhi_epi32(a[i], a[i + 1]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 16; i += 4) {
        a[i] = _mm512_unpacklo_epi64(b[i], b[i + 2]);
        a[i + 1] = _mm512_unpackhi_epi64(b[i], b[i + 2]);
        a[i + 2] = _mm512_unpacklo_epi64(b[i + 1], b[i + 3]);
        a[i + 3] = _mm512_unpackhi_epi64(b[i + 1], b[i + 3]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4;
         ++i) {  // a[4 j + i] holds, per quarter q, column 4 q + i of rows 4 j ...
        const __m512i top = _mm512_shuffle_i32x4(a[i], a[4 + i], 0x88);
        const __m512i top_odd = _mm512_shuffle_i32x4(a[i], a[4 + i], 0xdd);
        const __m512i low = _mm512_shuffle_i32x4(a[8 + i], a[12 + i], 0x88);
        const __m512i low_odd = _mm512_shuffle_i32x4(a[8 + i], a[12 + i], 0xdd);
        b[i] = _mm512_shuffle_i32x4(top, low, 0x88);
        b[8 + i] = _mm512_shuffle_i32x4(top, low, 0xdd);
        b[4 + i] = _mm512_shuffle_i32x4(top_odd, low_odd, 0x88);
        b[12 + i] = _mm512_shuffle_i32x4(top_odd, low_odd, 0xdd);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) _mm512_storeu_si512(to + i * to_stride, b[i]);
}

struct TileProducts {
    static void begin() { configure_tiles(); }

    static constexpr bool HELPS = true;  // the vectors' side stands still while tiles multiply

    template <class Between = Nothing>
    static void product(RowGroups<uint16_t> left, int64_t rows, Panels<uint16_t> right,
                        int64_t panels, int64_t depth, Sums out, Between between = {}) {
        for (int64_t row = 0; row < rows; row += 2 * TILE) {
            const uint16_t* const* groups = left.groups + row / TILE;
            float* outs[2] = {out.start + row * out.stride, out.start + (row + TILE) * out.stride};
            if (row + TILE < rows)
                multiply_tile_rows<2>(groups, left.stride, right, panels, depth, outs, out.stride,
                                      between);
            else
                multiply_tile_rows<1>(groups, left.stride, right, panels, depth, outs, out.stride,
                                      between);
        }
    }

    template <int64_t block, class Between = Nothing>
    static void mix(const uint32_t* weights, int tiles, int64_t keys, Panels<uint16_t> values,
                    int64_t panels, Sums out, int64_t tile_stride, Between between = {}) {
        alignas(64) uint32_t turned[2][TILE * block / 2];
        for (int tile = 0; tile < tiles; ++tile)
            for (int64_t pair = 0; pair < keys / 2; pair += TILE)
                transpose(weights + (tile * block + pair) * TILE, TILE, turned[tile] + pair,
                          block / 2);
        const uint16_t* lefts[2] = {reinterpret_cast<uint16_t*>(turned[0]),
                                    reinterpret_cast<uint16_t*>(turned[1])};
        float* outs[2] = {out.start, out.start + tile_stride};
        if (tiles == 2)
            multiply_tile_rows<2>(lefts, block, values, panels, keys, outs, out.stride, between);
        else
            multiply_tile_rows<1>(lefts, block, values, panels, keys, outs, out.stride, between);
    }
};

}  // namespace
}  // namespace bise

#endif
