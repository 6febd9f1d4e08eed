// Products of many rows with AMX: weights of any type become tiles of bf16 for `tdpbf16ps`.
#if defined(__x86_64__)

#include <algorithm>
#include <type_traits>
#include <utility>

#include "matrix_decode_avx512.h"
#include "matrix_kernels.h"
#include "tiles.h"

namespace bise {

namespace {

constexpr int64_t TILE_BYTES = 1024;
constexpr int64_t X_BYTES = 2 * TILE_BYTES, WEIGHT_BYTES = 2 * TILE_BYTES;  // of one group
constexpr int64_t STREAMS = 2, ENDING = 4;             // turns before the end of a panel
constexpr int64_t SMALL_PAGE = 4096, BEGINNING = 256;  // bytes

inline void fetch(const uint8_t* from, int64_t bytes) {  // into the second cache
    for (int64_t line = 0; line < bytes; line += 64) __builtin_prefetch(from + line, 0, 2);
}

// Where tiles of 16 rows begin: two lie side by side in each group.
template <int tiles>
struct RowTiles {
    const uint8_t* at[tiles];

    RowTiles(const uint8_t* x, int64_t num_groups, int64_t first) {
        for (int64_t i = 0; i < tiles; ++i)
            at[i] = x + (first + i) / 2 * num_groups * X_BYTES + (first + i) % 2 * TILE_BYTES;
    }
};

// Sums of a group stay in tiles 0 to 5, [16 rows][16 outputs], two for each tile of rows; 6 and 7 are
// rows and weights. `between` is called for the four quarters of whatever should happen meanwhile.
template <int tiles, class Between>
inline void multiply(RowTiles<tiles> rows, int64_t group, const uint8_t* weights,
                     Between&& between) {
    const auto x = [&](int tile) { return rows.at[tile] + group * X_BYTES; };
    load_tile<6>(weights, 64);
    load_tile<7>(x(0), 64);
    multiply_tiles<0, 7, 6>();
    between(0);
    if constexpr (tiles == 3) {
        load_tile<7>(x(1), 64);
        multiply_tiles<2, 7, 6>();
        load_tile<7>(x(2), 64);
        multiply_tiles<4, 7, 6>();
        between(1);
        load_tile<6>(weights + TILE_BYTES, 64);
        multiply_tiles<5, 7, 6>();
        load_tile<7>(x(1), 64);
        multiply_tiles<3, 7, 6>();
        between(2);
        load_tile<7>(x(0), 64);
        multiply_tiles<1, 7, 6>();
    } else {
        load_tile<5>(weights + TILE_BYTES, 64);
        multiply_tiles<1, 7, 5>();
        between(1);
        if constexpr (tiles == 2) {
            load_tile<4>(x(1), 64);
            multiply_tiles<2, 4, 6>();
        }
        between(2);
        if constexpr (tiles == 2) multiply_tiles<3, 4, 5>();
    }
    between(3);
}

// Calls each(tile, its place in a block) for the sums of so many tiles of rows.
template <int tiles, class Each>
inline void for_sums(Each each) {
    const auto pair = [&](auto row) {
        constexpr int FIRST = 2 * decltype(row)::value, PLACE = decltype(row)::value * TILE * PANEL;
        each(std::integral_constant<int, FIRST>(), PLACE);
        each(std::integral_constant<int, FIRST + 1>(), PLACE + TILE);
    };
    pair(std::integral_constant<int, 0>());
    if constexpr (tiles >= 2) pair(std::integral_constant<int, 1>());
    if constexpr (tiles >= 3) pair(std::integral_constant<int, 2>());
}

template <int tiles>
inline void clear() {
    for_sums<tiles>([](auto tile, int64_t) { zero_tile<tile>(); });
}

template <int tiles>
inline void store(float* block) {
    for_sums<tiles>([&](auto tile, int64_t at) { store_tile<tile>(block + at, PANEL * 4); });
}

// A processor streams memory by itself within a page; asking for the beginning of the next one
// while a page is begun keeps it streaming.
template <WeightType type>
inline void bridge(const uint8_t* group) {
    const auto place = int64_t(reinterpret_cast<uintptr_t>(group) % SMALL_PAGE);
    if (place < group_bytes(type)) fetch(group + SMALL_PAGE - place, BEGINNING);
}

// Some tiles of rows, whose sums stay in tiles while all groups of a panel pass by. Weights come as
// STREAMS at once, a group of each in turn, and are decoded a turn ahead of their use, so that the
// vector units work beside the tiles' unit.
template <WeightType type, int tiles>
void few_rows(const Panel& panel, int64_t num_panels, RowTiles<tiles> rows, uint8_t* decoded,
              float* block) {
    constexpr int64_t BYTES = group_bytes(type), TURN = STREAMS * WEIGHT_BYTES;
    const int64_t num_groups = panel.num_groups, turns = num_groups / STREAMS;
    const int64_t stream = turns * BYTES;  // from one to the next
    const auto decode = [&](const uint8_t* group, int quarter, uint8_t* to) {
        if constexpr (type != BF16) decode_quarter<type>(group, quarter, to);
    };
    const auto decode_all = [&](const uint8_t* group, uint8_t* to) {
        for (int quarter = 0; quarter < 4; ++quarter) decode(group, quarter, to);
        return type == BF16 ? group : to;
    };
    uint8_t *here = decoded, *there = decoded + TURN;
    if (turns > 0)
        for (int s = 0; s < STREAMS; ++s)
            decode_all(panel.groups + s * stream, here + s * WEIGHT_BYTES);
    const uint8_t* first = panel.groups;
    for (int64_t i = 0; i < num_panels; ++i, first += num_groups * BYTES) {
        const bool is_last = i + 1 == num_panels;
        const uint8_t* following = is_last ? first : first + num_groups * BYTES;
        clear<tiles>();
        for (int64_t turn = 0; turn < turns; ++turn, std::swap(here, there)) {
            const uint8_t* groups = first + turn * BYTES;
            const uint8_t* coming = turn + 1 < turns ? groups + BYTES : following;
#pragma GCC unroll 2
            for (int s = 0; s < STREAMS; ++s) {
                bridge<type>(coming + s * stream);
                multiply(rows, turn + s * turns,
                         type == BF16 ? groups + s * stream : here + s * WEIGHT_BYTES,
                         [&](int quarter) {
                             decode(coming + s * stream, quarter, there + s * WEIGHT_BYTES);
                         });
            }
            if (turn + ENDING != turns) continue;
            const uint8_t* begin = is_last ? panel.next : following;
            for (int s = 0; begin && s < STREAMS; ++s) fetch(begin + s * stream, BEGINNING);
        }
        for (int64_t g = turns * STREAMS; g < num_groups; ++g)
            multiply(rows, g, decode_all(first + g * BYTES, decoded + 2 * TURN), [](int) {});
        store<tiles>(block + i * tiles * TILE * PANEL);
    }
}

// All rows, three tiles at a time: for each three the weights are decoded anew, which takes no
// longer than bringing decoded ones and unfinished sums back from the second cache, and every row
// is summed in the same order, however many there are.
template <WeightType type>
void tiles(const Panel& panel, int64_t num_panels, const uint8_t* x, int64_t rows, float* block) {
    constexpr int MOST = FEW_ROWS / TILE;
    alignas(64) uint8_t decoded[(2 * STREAMS + 1) * WEIGHT_BYTES];
    configure_tiles();
    for (int64_t row = 0; row < rows; row += FEW_ROWS) {
        const auto run = [&](auto some) {
            constexpr int TILES = decltype(some)::value;
            few_rows<type, TILES>(panel, num_panels, {x, panel.num_groups, row / TILE}, decoded,
                                  block + row * PANEL);
        };
        if (rows - row <= TILE)
            run(std::integral_constant<int, 1>());
        else if (rows - row <= 2 * TILE)
            run(std::integral_constant<int, 2>());
        else
            run(std::integral_constant<int, MOST>());
    }
    if (panel.scale[0] == 1.0f && panel.scale[1] == 1.0f) return;
    const int64_t written = divide_up(rows, TILE) * TILE * num_panels;
    for (int64_t i = 0; i < written * PANEL; ++i) block[i] *= panel.scale[i / TILE % 2];
}

Kernels with_tiles(Kernels table) {
    constexpr int64_t FROM[NUM_TYPES] = {3, 6, 7, 2, 8};  // where tiles become the faster way
    std::copy_n(FROM, NUM_TYPES, table.tiles_from);
    table.asks_near = true;
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
