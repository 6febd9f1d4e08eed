// Products with AVX-512: `vpdpbusd` for whole numbers, `vdpbf16ps` for the rest.
#if defined(__AVX512F__)

#include <type_traits>

#include "matrix_ahead.h"
#include "matrix_decode_avx512.h"
#include "matrix_rows.h"

namespace bise {

namespace {

constexpr int INTEGER_ROWS = 6, FLOAT_ROWS = 8;  // as many as the 32 registers hold

inline __m512i four_bytes_of(const void* values) {
    int32_t bits;
    std::memcpy(&bits, values, 4);
    return _mm512_set1_epi32(bits);
}

inline void store(float* block, int row, const __m512 (&sums)[2], const Panel& panel,
                  float unit = 1.0f) {
    for (int tile = 0; tile < 2; ++tile) {
        const __m512 scale = _mm512_set1_ps(panel.scale[tile] * unit);
        _mm512_storeu_ps(block + row * PANEL + tile * TILE, _mm512_mul_ps(sums[tile], scale));
    }
}

template <WeightType type>
inline int32_t start_of(const Group& x, int part) {
    return type == INT8 ? x.start_int8 : type == INT4 ? x.start_int4 : x.start_nvfp4[part];
}

// N rows of groups with P panels: whole numbers within a group (or a half of one), fp32 between
// groups.
template <WeightType type, int N, int P>
struct IntegerRows {
    static void run(const Panel* panels, Ahead<type>* ahead, const void* const* x, float* block) {
        constexpr int PARTS = type == NVFP4 ? 2 : 1, PART_QUADS = QUADS / PARTS;
        __m512 sums[P][N][2];
        for (auto& panel : sums)
            for (auto& row : panel) row[0] = row[1] = _mm512_setzero_ps();
        const Group* rows[N];
        for (int n = 0; n < N; ++n) rows[n] = static_cast<const Group*>(x[n]);
        const int64_t num_groups = panels[0].num_groups;
        for (int64_t g = 0; g < num_groups; ++g) {
            const uint8_t* groups[P];
            for (int p = 0; p < P; ++p) {
                ahead[p].pass_group();
                groups[p] = panels[p].groups + g * group_bytes(type);
            }
            for (int part = 0; part < PARTS; ++part) {
                __m512i dots[P][N][2];
                for (int p = 0; p < P; ++p)
                    for (int n = 0; n < N; ++n)
                        dots[p][n][0] = dots[p][n][1] =
                            _mm512_set1_epi32(start_of<type>(rows[n][g], part));
#pragma GCC unroll 8
                for (int q = part * PART_QUADS; q < (part + 1) * PART_QUADS; ++q) {
                    __m512i values[N];
                    for (int n = 0; n < N; ++n)
                        values[n] = four_bytes_of(rows[n][g].values + 4 * q);
                    for (int p = 0; p < P; ++p) {
                        const uint8_t* left = groups[p] + head_bytes(type);
                        const __m512i some = bytes_of<type>(left, q),
                                      more = bytes_of<type>(left + tile_bytes(type), q);
                        for (int n = 0; n < N; ++n) {
                            __m512i(&both)[2] = dots[p][n];
                            both[0] = _mm512_dpbusd_epi32(both[0], some, values[n]);
                            both[1] = _mm512_dpbusd_epi32(both[1], more, values[n]);
                        }
                    }
                }
                for (int p = 0; p < P; ++p)
                    for (int tile = 0; tile < 2; ++tile) {
                        const __m512 scales = scales_of<type>(groups[p], part, tile);
                        for (int n = 0; n < N; ++n) {
                            const __m512 dot = _mm512_cvtepi32_ps(dots[p][n][tile]);
                            const __m512 scale =
                                _mm512_mul_ps(scales, _mm512_set1_ps(rows[n][g].scale));
                            sums[p][n][tile] = _mm512_fmadd_ps(dot, scale, sums[p][n][tile]);
                        }
                    }
            }
        }
        for (int p = 0; p < P; ++p)
            for (int n = 0; n < N; ++n)
                store(block, p * N + n, sums[p][n], panels[p], UNIT<type>);
    }
};

// N rows of bf16 with P panels, weights of bf16 or turned into it.
template <WeightType type, int N, int P>
struct FloatRows {
    static void run(const Panel* panels, Ahead<type>* ahead, const void* const* x, float* block) {
        __m512 sums[P][N][2];
        for (auto& panel : sums)
            for (auto& row : panel) row[0] = row[1] = _mm512_setzero_ps();
        const uint16_t* rows[N];
        for (int n = 0; n < N; ++n) rows[n] = static_cast<const uint16_t*>(x[n]);
        const int64_t num_groups = panels[0].num_groups;
        for (int64_t g = 0; g < num_groups; ++g) {
            const uint8_t* groups[P];
            for (int p = 0; p < P; ++p) {
                ahead[p].pass_group();
                groups[p] = panels[p].groups + g * group_bytes(type);
            }
#pragma GCC unroll 8
            for (int q = 0; q < QUADS; ++q)
                for (int p = 0; p < P; ++p) {
                    __m512i pairs[2][2];
                    pairs_of<type>(groups[p], q, pairs[0]);
                    pairs_of<type>(groups[p] + tile_bytes(type), q, pairs[1]);
                    for (int half = 0; half < 2; ++half)
                        for (int n = 0; n < N; ++n) {
                            const auto values =
                                __m512bh(four_bytes_of(rows[n] + g * GROUP + 4 * q + 2 * half));
                            for (int tile = 0; tile < 2; ++tile)
                                sums[p][n][tile] = _mm512_dpbf16_ps(
                                    sums[p][n][tile], __m512bh(pairs[tile][half]), values);
                        }
                }
        }
        for (int p = 0; p < P; ++p)
            for (int n = 0; n < N; ++n) store(block, p * N + n, sums[p][n], panels[p]);
    }
};

template <WeightType type, int N, int P>
using RowsOf = std::conditional_t<type == BF16 || type == FP8, FloatRows<type, N, P>,
                                  IntegerRows<type, N, P>>;

// One panel: of any number of rows, so many at a time.
template <WeightType type>
struct Alone {
    template <int N>
    struct Rows {
        static void run(const Panel& panel, Ahead<type>& ahead, const void* const* x,
                        float* block) {
            RowsOf<type, N, 1>::run(&panel, &ahead, x, block);
        }
    };
    static constexpr int MOST = type == BF16 || type == FP8 ? FLOAT_ROWS : INTEGER_ROWS;
    static constexpr auto run = InBlocks<type, Rows, MOST>::run;
};

template <WeightType type>
void pair(const Panel* panels, const void* const* x, int64_t count, float* block) {
    static_assert(PAIR_ROWS == 3);
    Ahead<type> ahead[] = {{panels[0], 1}, {panels[1], 1}};
    if (count == 1) return RowsOf<type, 1, 2>::run(panels, ahead, x, block);
    if (count == 2) return RowsOf<type, 2, 2>::run(panels, ahead, x, block);
    if (count == 3) return RowsOf<type, 3, 2>::run(panels, ahead, x, block);
}

// Whole numbers of 8 bits; what is none becomes 0.
inline __m128i bytes_nearest(__m512 numbers) {
    return _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(numbers));
}
inline int32_t sum_of(__m128i bytes) {
    return _mm512_reduce_add_epi32(_mm512_cvtepi8_epi32(bytes));
}

void quantise(const float* x, int64_t count, Group* groups) {
    const __m512i sign = _mm512_set1_epi32(0x7fffffff);
    for (; count > 0; count -= GROUP, x += GROUP, ++groups) {
        const uint32_t have = count >= GROUP ? ~0u : (1u << count) - 1;
        const __m512 low = _mm512_maskz_loadu_ps(__mmask16(have), x);
        const __m512 high = _mm512_maskz_loadu_ps(__mmask16(have >> 16), x + TILE);
        const __m512i sizes = _mm512_max_epi32(_mm512_and_si512(_mm512_castps_si512(low), sign),
                                               _mm512_and_si512(_mm512_castps_si512(high), sign));
        const float most = float_of_bits(uint32_t(_mm512_reduce_max_epi32(sizes)));
        const bool is_nothing = most <= 0x1p-100f;  // what is no number is something
        const __m512 inverse = _mm512_set1_ps(is_nothing ? 0.0f : 127.0f / most);
        const __m128i first = bytes_nearest(_mm512_mul_ps(low, inverse));
        const __m128i second = bytes_nearest(_mm512_mul_ps(high, inverse));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(groups->values), first);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(groups->values + TILE), second);
        const int32_t one = sum_of(first), two = sum_of(second);
        groups->scale = is_nothing ? 0.0f : most * (1.0f / 127.0f);
        groups->start_int8 = -zero_point(INT8) * (one + two);
        groups->start_int4 = -zero_point(INT4) * (one + two);
        groups->start_nvfp4[0] = -zero_point(NVFP4) * one;
        groups->start_nvfp4[1] = -zero_point(NVFP4) * two;
    }
}

void round_to_bf16(const float* x, int64_t count, uint16_t* halves) {
    for (; count > 0; count -= GROUP, x += GROUP, halves += GROUP) {
        const uint32_t have = count >= GROUP ? ~0u : (1u << count) - 1;
        const __m512 low = _mm512_maskz_loadu_ps(__mmask16(have), x);
        const __m512 high = _mm512_maskz_loadu_ps(__mmask16(have >> 16), x + TILE);
        _mm512_storeu_si512(halves, __m512i(_mm512_cvtne2ps_pbh(high, low)));
    }
}

// e^x of 16 numbers, right to about two units in the last place; beyond +-87 what it is there.
inline __m512 exponential(__m512 x) {
    constexpr int NEAREST = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
    const __m512 most = _mm512_set1_ps(87.0f), least = _mm512_set1_ps(-87.0f);
    x = _mm512_max_ps(_mm512_min_ps(x, most), least);
    const __m512 power =
        _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)), NEAREST);
    __m512 rest = _mm512_fnmadd_ps(power, _mm512_set1_ps(0.693359375f), x);  // ln 2 in two parts
    rest = _mm512_fnmadd_ps(power, _mm512_set1_ps(-2.12194440e-4f), rest);
    __m512 sum = _mm512_set1_ps(1.9875691500e-4f);
    for (const float next : {1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f,
                             1.6666665459e-1f, 5.0000001201e-1f, 1.0f, 1.0f})
        sum = _mm512_fmadd_ps(sum, rest, _mm512_set1_ps(next));
    return _mm512_scalef_ps(sum, power);
}

void gate(const float* block, int64_t rows, float* hidden, int64_t stride) {
    const __m512 one = _mm512_set1_ps(1.0f);
    for (int64_t row = 0; row < rows; ++row, block += PANEL, hidden += stride) {
        const __m512 gate = _mm512_loadu_ps(block), up = _mm512_loadu_ps(block + TILE);
        const __m512 whole = _mm512_add_ps(one, exponential(_mm512_sub_ps(_mm512_setzero_ps(), gate)));
        _mm512_storeu_ps(hidden, _mm512_mul_ps(_mm512_div_ps(gate, whole), up));
    }
}

}  // namespace

const Kernels& kernels_avx512() {
    static const Kernels table = {
        {BF16_ROWS, GROUPS, GROUPS, BF16_ROWS, GROUPS},
        false,
        {},
        {Alone<BF16>::run, Alone<INT8>::run, Alone<INT4>::run, Alone<FP8>::run, Alone<NVFP4>::run},
        {pair<BF16>, pair<INT8>, pair<INT4>, pair<FP8>, pair<NVFP4>},
        {},
        quantise,
        round_to_bf16,
        gate,
        add_rows};
    return table;
}

}  // namespace bise

#endif
