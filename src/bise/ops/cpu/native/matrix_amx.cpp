// Products of many rows with AMX: weights of any type become tiles of bf16 for `tdpbf16ps`.
#if defined(__x86_64__)

#include <algorithm>
#include <type_traits>

#include "matrix_decode_avx512.h"
#include "matrix_kernels.h"

namespace bise {

namespace {

constexpr int64_t TILE_BYTES = 1024;
constexpr int64_t X_BYTES = 2 * TILE_BYTES, WEIGHT_BYTES = 2 * TILE_BYTES;  // of one group
constexpr int64_t NEAR_AHEAD = 2048, FAR_AHEAD = 8192;  // bytes
constexpr int64_t CHUNK = 8;  // groups; 16 KB of bf16 beside as much of rows

// Eight tiles of 16 rows of 64 bytes.
struct alignas(64) TileConfig {
    uint8_t palette = 1, start_row = 0, reserved[14] = {};
    uint16_t row_bytes[16] = {};
    uint8_t rows[16] = {};

    constexpr TileConfig() {
        for (int i = 0; i < 8; ++i) row_bytes[i] = 64, rows[i] = 16;
    }
};
constexpr TileConfig CONFIG;

template <bool is_near>  // into the first cache, or the second
inline void fetch(const uint8_t* from, int64_t bytes) {
    for (int64_t line = 0; line < bytes; line += 64)
        __builtin_prefetch(from + line, 0, is_near ? 3 : 2);
}

// Sums stay in tiles 0 to 3, [16 rows][16 outputs]; 4 and 5 are rows, 6 and 7 weights. `between` is
// called for the four quarters of whatever should happen meanwhile.
template <bool has_second, class Between>
inline void multiply(const uint8_t* x, const uint8_t* weights, Between&& between) {
    _tile_loadd(4, x, 64);
    _tile_loadd(6, weights, 64);
    _tile_dpbf16ps(0, 4, 6);
    between(0);
    _tile_loadd(7, weights + TILE_BYTES, 64);
    _tile_dpbf16ps(1, 4, 7);
    between(1);
    if (has_second) {
        _tile_loadd(5, x + TILE_BYTES, 64);
        _tile_dpbf16ps(2, 5, 6);
    }
    between(2);
    if (has_second) _tile_dpbf16ps(3, 5, 7);
    between(3);
}

inline void clear() {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
}

template <bool has_second>
inline void load(const float* block) {
    _tile_loadd(0, block, PANEL * 4);
    _tile_loadd(1, block + TILE, PANEL * 4);
    if (!has_second) return;
    _tile_loadd(2, block + TILE * PANEL, PANEL * 4);
    _tile_loadd(3, block + TILE * PANEL + TILE, PANEL * 4);
}

template <bool has_second>
inline void store(float* block) {
    _tile_stored(0, block, PANEL * 4);
    _tile_stored(1, block + TILE, PANEL * 4);
    if (!has_second) return;
    _tile_stored(2, block + TILE * PANEL, PANEL * 4);
    _tile_stored(3, block + TILE * PANEL + TILE, PANEL * 4);
}

// Some groups of a panel, as bf16: in place, or decoded one ahead of its use, so that the vector
// units work beside the tiles' unit. They go round in a ring of CHUNK groups.
template <WeightType type, bool has_second, bool are_all>
inline void first_rows(const uint8_t* groups, int64_t count, const uint8_t* x, uint8_t* decoded) {
    const auto decode = [&](int64_t g, int quarter) {
        constexpr int64_t BYTES = group_bytes(type) / 4;
        const uint8_t* here = groups + g * group_bytes(type) + quarter * BYTES;
        if constexpr (are_all)
            fetch<true>(here + NEAR_AHEAD, BYTES);
        else  // more rows come before the next groups do
            fetch<false>(here + FAR_AHEAD, BYTES);
        if constexpr (type != BF16)
            decode_quarter<type>(groups + g * group_bytes(type), quarter,
                                 decoded + g % CHUNK * WEIGHT_BYTES);
    };
    const auto multiply_group = [&](int64_t g, auto&& between) {
        const uint8_t* weights =
            type == BF16 ? groups + g * WEIGHT_BYTES : decoded + g % CHUNK * WEIGHT_BYTES;
        multiply<has_second>(x + g * X_BYTES, weights, between);
    };
    for (int quarter = 0; quarter < 4; ++quarter) decode(0, quarter);
    for (int64_t g = 0; g < count - 1; ++g)
        multiply_group(g, [&](int quarter) { decode(g + 1, quarter); });
    multiply_group(count - 1, [](int) {});
}

// The same groups with more rows; meanwhile a part of the groups that are next is fetched.
template <bool has_second>
inline void more_rows(const uint8_t* weights, int64_t count, const uint8_t* x, const uint8_t* next,
                      int64_t next_bytes) {
    for (int64_t g = 0; g < count; ++g) {
        fetch<false>(next + g * next_bytes, next_bytes);
        multiply<has_second>(x + g * X_BYTES, weights + g * WEIGHT_BYTES, [](int) {});
    }
}

// At most 32 rows: sums stay where they are from the first group to the last.
template <WeightType type, bool has_second>
void one_block(const Panel& panel, const uint8_t* x, uint8_t* decoded, float* block) {
    clear();
    first_rows<type, has_second, true>(panel.groups, panel.num_groups, x, decoded);
    store<has_second>(block);
}

// More: as many groups as stay in the first cache meet all rows before the next ones are decoded,
// and sums wait in the block.
template <WeightType type>
void many_blocks(const Panel& panel, const uint8_t* x, int64_t rows, uint8_t* decoded,
                 float* block) {
    const int64_t others = (rows - 1) / TILE_ROWS;
    const int64_t part = divide_up(group_bytes(type), 64 * others) * 64;
    for (int64_t first = 0; first < panel.num_groups; first += CHUNK) {
        const int64_t count = std::min(CHUNK, panel.num_groups - first);
        const uint8_t* groups = panel.groups + first * group_bytes(type);
        const uint8_t* weights = type == BF16 ? groups : decoded;
        const uint8_t* next = groups + count * group_bytes(type);
        const auto with_sums = [&](int64_t row, auto has_second, auto&& run) {
            constexpr bool TWO = decltype(has_second)::value;
            float* sums = block + row * PANEL;
            first == 0 ? clear() : load<TWO>(sums);
            run(x + (row / TILE_ROWS * panel.num_groups + first) * X_BYTES);
            store<TWO>(sums);
        };
        constexpr std::true_type TWO;
        constexpr std::false_type ONE;
        with_sums(0, TWO, [&](const uint8_t* at) {
            first_rows<type, true, false>(groups, count, at, decoded);
        });
        for (int64_t row = TILE_ROWS; row < rows; row += TILE_ROWS, next += count * part)
            if (rows - row > TILE)
                with_sums(row, TWO, [&](const uint8_t* at) {
                    more_rows<true>(weights, count, at, next, part);
                });
            else
                with_sums(row, ONE, [&](const uint8_t* at) {
                    more_rows<false>(weights, count, at, next, part);
                });
    }
}

template <WeightType type>
void tiles(const Panel& panel, const uint8_t* x, int64_t rows, float* block) {
    alignas(64) uint8_t decoded[type == BF16 ? 64 : CHUNK * WEIGHT_BYTES];
    _tile_loadconfig(&CONFIG);
    if (rows <= TILE)
        one_block<type, false>(panel, x, decoded, block);
    else if (rows <= TILE_ROWS)
        one_block<type, true>(panel, x, decoded, block);
    else
        many_blocks<type>(panel, x, rows, decoded, block);
    if (panel.scale[0] == 1.0f && panel.scale[1] == 1.0f) return;
    for (int64_t i = 0; i < rows * PANEL; ++i) block[i] *= panel.scale[i / TILE % 2];
}

Kernels with_tiles(Kernels table) {
    constexpr int64_t FROM[NUM_TYPES] = {3, 14, 12, 2, 8};  // where tiles become the faster way
    std::copy_n(FROM, NUM_TYPES, table.tiles_from);
    table.tiles[BF16] = tiles<BF16>;
    table.tiles[INT8] = tiles<INT8>;
    table.tiles[INT4] = tiles<INT4>;
    table.tiles[FP8] = tiles<FP8>;
    table.tiles[NVFP4] = tiles<NVFP4>;
    return table;
}

}  // namespace

const Kernels& kernels_amx() {
    static const Kernels table = with_tiles(kernels_avx512());
    return table;
}

}  // namespace bise

#endif
