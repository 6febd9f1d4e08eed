// Looking at a cache in int8 as it is: nothing is widened. Queries and the weights of keys become
// whole numbers of 16 bits in two bytes each, which is finer than bf16; products are exact.
//
// A query is unit * (128 high + low), each part of an entry with a unit of its own; a weight times
// its key's scale is unit * (256 high + low), where the unit is that of the row's largest in the
// block, of keys the row sees: so it does not matter who else looks. Keys stand in quads for the
// second product, in the order 0, 2, 1, 3 that weaving gives them.
#pragma once

#include "look_bf16.h"
#include "look_block.h"
#include "look_tiles.h"

#if defined(__x86_64__)

namespace bise {
namespace {

class ByteBlock {
   public:
    using Number = uint16_t;
    static constexpr int64_t BLOCK = 256;

    ByteBlock(const LookJob& job, Carver& carver) : job(job) {
        own_rows = carver.take<int8_t>(GROUP * job.cache->width);
        scales[0] = carver.take<float>(BLOCK);
        scales[1] = carver.take<float>(BLOCK);
        woven = carver.take<int8_t>(job.value / PANEL * PANEL_STRIDE);
    }

    int64_t width() const { return job.value; }

    void fill(const Bundle& bundle, int64_t first, int64_t count, Ahead& ahead) {
        Walk here(*job.cache, *bundle.span, first);
        for (int64_t key = 0; key < padded(count, GROUP); key += TILE) {
            bring(here, key, at_most(TILE, count - key));
            for (int64_t quad = key; quad < key + TILE; quad += 4, ahead.fetch(LINES)) weave(quad);
        }
    }

    void score(int64_t key, const Number* queries, int tiles, Sums out, Ahead& ahead) const {
        alignas(64) int32_t sums[2][2][GROUP * TILE];  // [part of an entry][high, low]
        for (int tile = 0; tile < tiles; ++tile, queries += query_numbers(job)) {
            const auto* bytes = reinterpret_cast<const int8_t*>(queries);
            multiply_part(key, 0, job.first_part, bytes, sums[0], ahead);
            multiply_part(key, job.first_part, job.key, bytes, sums[1], ahead);
            const auto* units = reinterpret_cast<const float*>(bytes + 2 * TILE * job.key);
            const Floats first_unit = load(units), second_unit = load(units + TILE);
            for (int64_t i = 0; i < GROUP; ++i) {
                const Floats first = joined(sums[0], i) * first_unit;
                const Floats second = joined(sums[1], i) * second_unit;
                store(out.start + i * out.stride + tile * TILE,
                      first * scales[0][key + i] + second * scales[1][key + i]);
            }
        }
    }

    // Weights times scales, [key][row].
    static constexpr int64_t TOGETHER = 2;
    void keep(float* weights, int64_t key, int, const Floats (&counts)[TOGETHER]) const {
        for (int64_t i = 0; i < TOGETHER; ++i)
            store(weights + (key + i) * TILE, counts[i] * scales[0][key + i]);
    }

    void mix(const float* weights, int tiles, int64_t keys, float* out, int64_t tile_stride,
             Ahead& ahead) const {
        Weights bytes[2];
        for (int tile = 0; tile < tiles; ++tile)
            bytes[tile].take(weights + tile * BLOCK * TILE, keys);
        for (int64_t column = 0; column < job.value; column += STEP) {
            const int8_t* values = woven + column / PANEL * PANEL_STRIDE;
            for (int tile = 0; tile < tiles; ++tile)
                mix_columns(bytes[tile], values, out + tile * tile_stride + column, ahead);
        }
    }

    // High and low bytes [key / 4][row][4] each, then the units of both parts [2][row].
    static int64_t query_numbers(const LookJob& job) {
        return TILE * job.key + 2 * TILE * static_cast<int64_t>(sizeof(float) / sizeof(Number));
    }

    static void put_query(const LookJob& job, Number* tile, int64_t lane, const Number* numbers) {
        auto* high = reinterpret_cast<int8_t*>(tile);
        auto* low = high + TILE * job.key;
        auto* units = reinterpret_cast<float*>(low + TILE * job.key) + lane;
        units[0] = put_part(numbers, 0, job.first_part, high + lane * 4, low + lane * 4);
        units[TILE] = put_part(numbers, job.first_part, job.key, high + lane * 4, low + lane * 4);
    }

   private:
    static constexpr int64_t STEP = 64;  // bytes of a tile's row
    static constexpr int64_t PANEL_STRIDE = BLOCK * PANEL + STEP;  // as KeyBlock's
    static constexpr float MOST_QUERY = 127.0f * 128.0f;

    // A tile's weights in two bytes each, as products take them: [64 keys][row][64]
    struct Weights {
        alignas(64) uint32_t high[BLOCK / 4 * TILE], low[BLOCK / 4 * TILE];
        float units[TILE];
        int64_t keys;  // whole steps

        void take(const float* weights, int64_t count) {
            keys = padded(count, STEP);
            Floats most{};
            for (int64_t key = 0; key < count; ++key)
                most = largest(most, load(weights + key * TILE));
            store(units, most / spread(65535.0f));
            const Floats factor = spread(65535.0f) / largest(most, spread(0x1p-100f));
            alignas(64) uint32_t upper[TILE * TILE], lower[TILE * TILE];
            for (int64_t first = 0; first < keys; first += STEP) {
                for (int64_t quad = 0; quad < TILE; ++quad) {
                    const int64_t key = first + 4 * quad, at = quad * TILE;
                    if (key < count)
                        split(weights + key * TILE, factor, upper + at, lower + at);
                    else
                        std::memset(upper + at, 0, 64), std::memset(lower + at, 0, 64);
                }
                transpose(upper, TILE, high + first / 4 * TILE, TILE);
                transpose(lower, TILE, low + first / 4 * TILE, TILE);
            }
        }

        // Four keys' weights, [key][row], into [row][4] high and low bytes.
        static void split(const float* weights, Floats factor, uint32_t* upper, uint32_t* lower) {
            __m512i whole[4];
            for (int i = 0; i < 4; ++i)
                whole[i] = _mm512_cvtps_epi32(load(weights + i * TILE) * factor);
            const __m512i even = _mm512_or_si512(whole[0], _mm512_slli_epi32(whole[1], 16));
            const __m512i odd = _mm512_or_si512(whole[2], _mm512_slli_epi32(whole[3], 16));
            const __m512i mask = _mm512_set1_epi16(0x00ff);
            const __m512i even_high = _mm512_srli_epi16(even, 8);
            _mm512_storeu_si512(upper, _mm512_or_si512(even_high, _mm512_andnot_si512(mask, odd)));
            _mm512_storeu_si512(lower, _mm512_or_si512(_mm512_and_si512(even, mask),
                                                       _mm512_slli_epi16(odd, 8)));
        }
    };

    const LookJob& job;
    int8_t *own_rows, *woven;
    float* scales[2];
    const int8_t* rows[BLOCK / TILE];

    // The next 16 keys: pointed at; the last of them copied, and zeros where there are no more.
    void bring(Walk& here, int64_t key, int64_t count) {
        const int64_t width = job.cache->width, entry = count > 0 ? here.entry() : 0;
        const auto* from = static_cast<const int8_t*>(job.cache->entries) + entry * width;
        const float* two = job.cache->scales + entry * 2;
        if (count == TILE) {
            rows[key / TILE] = from;
            for (int64_t i = 0; i < TILE; ++i)
                scales[0][key + i] = two[2 * i], scales[1][key + i] = two[2 * i + 1];
            return here.step(TILE);
        }
        int8_t* own = own_rows + key % GROUP * width;
        rows[key / TILE] = own;
        const int64_t some = at_least(count, 0);
        if (some > 0) std::memcpy(own, from, some * width);
        std::memset(own + some * width, 0, (TILE - some) * width);
        for (int64_t i = 0; i < TILE; ++i)
            for (int part = 0; part < 2; ++part)
                scales[part][key + i] = i < some ? two[2 * i + part] : 0.0f;
    }

    // Four keys' values: 64 columns become 4 lines of panels, each of whose 128 bits is from
    // another 16 columns.
    void weave(int64_t key) const {
        const int64_t width = job.cache->width;
        const int8_t* row = rows[key / TILE] + key % TILE * width;
        int8_t* to = woven + key * PANEL;
        for (int64_t column = 0; column < job.value; column += STEP, to += 4 * PANEL_STRIDE) {
            __m512i four[4];
            for (int i = 0; i < 4; ++i) four[i] = _mm512_loadu_si512(row + i * width + column);
            const __m512i even_low = _mm512_unpacklo_epi8(four[0], four[2]);
            const __m512i even_high = _mm512_unpackhi_epi8(four[0], four[2]);
            const __m512i odd_low = _mm512_unpacklo_epi8(four[1], four[3]);
            const __m512i odd_high = _mm512_unpackhi_epi8(four[1], four[3]);
            _mm512_storeu_si512(to, _mm512_unpacklo_epi16(even_low, odd_low));
            _mm512_storeu_si512(to + PANEL_STRIDE, _mm512_unpackhi_epi16(even_low, odd_low));
            _mm512_storeu_si512(to + 2 * PANEL_STRIDE, _mm512_unpacklo_epi16(even_high, odd_high));
            _mm512_storeu_si512(to + 3 * PANEL_STRIDE, _mm512_unpackhi_epi16(even_high, odd_high));
        }
    }

    // Columns begin .. end of a query in two bytes each; returns what one of them counts.
    static float put_part(const Number* numbers, int64_t begin, int64_t end, int8_t* high,
                          int8_t* low) {
        uint16_t most = 0;  // sizes compare like their bits, and what is no number is the largest
        for (int64_t i = begin; i < end; ++i) {
            const auto size = static_cast<uint16_t>(numbers[i] & 0x7fff);
            most = most > size ? most : size;
        }
        const float largest_number = from_bf16(most);
        const float inverse = largest_number > 0x1p-100f ? MOST_QUERY / largest_number : 0.0f;
        for (int64_t i = begin; i < end; ++i) {
            const auto whole = static_cast<int32_t>(std::lrint(from_bf16(numbers[i]) * inverse));
            const int32_t upper = (whole + 64) >> 7;
            high[i / 4 * STEP + i % 4] = static_cast<int8_t>(upper);
            low[i / 4 * STEP + i % 4] = static_cast<int8_t>(whole - upper * 128);
        }
        return largest_number / MOST_QUERY;
    }

    static Floats joined(const int32_t (&sums)[2][GROUP * TILE], int64_t key) {
        const Ints whole = (load(sums[0] + key * TILE) << 7) + load(sums[1] + key * TILE);
        return __builtin_convertvector(whole, Floats);
    }

    // A group of keys by a tile of queries, some columns: sums [high, low][key][row]. Tiles 0 and 1
    // are sums of the high bytes, 2 and 3 of the low ones; 4 and 5 keys, 6 and 7 queries.
    void multiply_part(int64_t key, int64_t begin, int64_t end, const int8_t* queries,
                       int32_t (&sums)[2][GROUP * TILE], Ahead& ahead) const {
        const int8_t *first = rows[key / TILE], *second = rows[key / TILE + 1];
        const int64_t width = job.cache->width;
        zero_tile<0>();
        zero_tile<1>();
        zero_tile<2>();
        zero_tile<3>();
        for (int64_t at = begin; at < end; at += STEP, ahead.fetch(LINES)) {
            load_tile<6>(queries + at * TILE, STEP);
            load_tile<4>(first + at, width);
            multiply_signed_bytes<0, 4, 6>();
            load_tile<5>(second + at, width);
            multiply_signed_bytes<1, 5, 6>();
            load_tile<7>(queries + (job.key + at) * TILE, STEP);
            multiply_signed_bytes<2, 4, 7>();
            multiply_signed_bytes<3, 5, 7>();
        }
        store_tile<0>(sums[0], STEP);
        store_tile<1>(sums[0] + TILE * TILE, STEP);
        store_tile<2>(sums[1], STEP);
        store_tile<3>(sums[1] + TILE * TILE, STEP);
    }

    // 64 columns of a mix. Tiles 0 and 1 are sums of the high bytes, 2 and 3 of the low ones; 4 and
    // 5 weights, 6 and 7 values.
    void mix_columns(const Weights& weights, const int8_t* values, float* out, Ahead& ahead) const {
        alignas(64) int32_t sums[4][2][TILE * TILE];  // [panel][high, low]
        for (int panel = 0; panel < 4; panel += 2, values += 2 * PANEL_STRIDE) {
            zero_tile<0>();
            zero_tile<1>();
            zero_tile<2>();
            zero_tile<3>();
            for (int64_t key = 0; key < weights.keys; key += STEP, ahead.fetch(LINES)) {
                load_tile<4>(weights.high + key / 4 * TILE, STEP);
                load_tile<6>(values + key * PANEL, STEP);
                multiply_weight_bytes<0, 4, 6>();
                load_tile<7>(values + PANEL_STRIDE + key * PANEL, STEP);
                multiply_weight_bytes<1, 4, 7>();
                load_tile<5>(weights.low + key / 4 * TILE, STEP);
                multiply_weight_bytes<2, 5, 6>();
                multiply_weight_bytes<3, 5, 7>();
            }
            store_tile<0>(sums[panel][0], STEP);
            store_tile<1>(sums[panel + 1][0], STEP);
            store_tile<2>(sums[panel][1], STEP);
            store_tile<3>(sums[panel + 1][1], STEP);
        }
        for (int64_t row = 0; row < TILE; ++row) {
            __m512 found[4];
            for (int panel = 0; panel < 4; ++panel) {
                const Ints high = load(sums[panel][0] + row * TILE);
                const Ints low = load(sums[panel][1] + row * TILE);
                found[panel] = (__builtin_convertvector(high, Floats) * 256.0f +
                                __builtin_convertvector(low, Floats)) *
                               weights.units[row];
            }
            store_in_order(found, out + row * job.value);
        }
    }

    // What weaving did to columns, undone: 4 x 4 pieces of 4 numbers, rows for columns.
    static void store_in_order(const __m512 (&found)[4], float* out) {
        const __m512 a = _mm512_shuffle_f32x4(found[0], found[1], 0x44);
        const __m512 b = _mm512_shuffle_f32x4(found[2], found[3], 0x44);
        const __m512 c = _mm512_shuffle_f32x4(found[0], found[1], 0xee);
        const __m512 d = _mm512_shuffle_f32x4(found[2], found[3], 0xee);
        _mm512_storeu_ps(out, _mm512_shuffle_f32x4(a, b, 0x88));
        _mm512_storeu_ps(out + 16, _mm512_shuffle_f32x4(a, b, 0xdd));
        _mm512_storeu_ps(out + 32, _mm512_shuffle_f32x4(c, d, 0x88));
        _mm512_storeu_ps(out + 48, _mm512_shuffle_f32x4(c, d, 0xdd));
    }
};

}  // namespace
}  // namespace bise

#endif
