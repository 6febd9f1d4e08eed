// Products of many rows with AMX: weights of any type become tiles of bf16 for `tdpbf16ps`.
#if defined(__x86_64__)

#include <algorithm>
#include <type_traits>

#include "matrix_decode_avx512.h"
#include "matrix_kernels.h"
#include "tiles.h"

namespace bise {

namespace {

constexpr int64_t TILE_BYTES = 1024;
constexpr int64_t X_BYTES = 2 * TILE_BYTES, WEIGHT_BYTES = 2 * TILE_BYTES;  // of one group
constexpr int64_t CHUNK = 8;                          // groups; 16 KB of bf16
constexpr int64_t STREAMS = 2, ENDING = 4;            // turns before the end of a panel
constexpr int64_t IN_THREES = 192;                     // rows
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
inline void load(const float* block) {
    for_sums<tiles>([&](auto tile, int64_t at) { load_tile<tile>(block + at, PANEL * 4); });
}

template <int tiles>
inline void store(float* block) {
    for_sums<tiles>([&](auto tile, int64_t at) { store_tile<tile>(block + at, PANEL * 4); });
}

// A processor streams memory by itself within a page; asking for the beginning of the next one while
// a page is begun keeps it streaming.
template <WeightType type>
inline void bridge(const uint8_t* group) {
    const auto place = int64_t(reinterpret_cast<uintptr_t>(group) % SMALL_PAGE);
    if (place < group_bytes(type)) fetch(group + SMALL_PAGE - place, BEGINNING);
}

// Some groups of a panel, and their first rows: decoded one ahead of its use.
template <WeightType type>
inline void first_rows(const uint8_t* groups, int64_t count, const RowTiles<2>& rows,
                       uint8_t* decoded) {
    const auto decode = [&](int64_t g, int quarter) {
        if (quarter == 0) bridge<type>(groups + g * group_bytes(type));
        if constexpr (type != BF16)
            decode_quarter<type>(groups + g * group_bytes(type), quarter,
                                 decoded + g % CHUNK * WEIGHT_BYTES);
    };
    const auto multiply_group = [&](int64_t g, auto&& between) {
        const uint8_t* weights =
            type == BF16 ? groups + g * WEIGHT_BYTES : decoded + g % CHUNK * WEIGHT_BYTES;
        multiply(rows, g, weights, between);
    };
    for (int quarter = 0; quarter < 4; ++quarter) decode(0, quarter);
    for (int64_t g = 0; g < count - 1; ++g)
        multiply_group(g, [&](int quarter) { decode(g + 1, quarter); });
    multiply_group(count - 1, [](int) {});
}

// The same groups with more rows; meanwhile a part of the groups that are next is fetched.
template <int tiles>
inline void more_rows(const uint8_t* weights, int64_t count, const RowTiles<tiles>& rows,
                      const uint8_t* next, int64_t next_bytes) {
    for (int64_t g = 0; g < count; ++g) {
        fetch(next + g * next_bytes, next_bytes);
        multiply(rows, g, weights + g * WEIGHT_BYTES, [](int) {});
    }
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
            for (int s = 0; s < STREAMS; ++s) fetch(begin + s * stream, BEGINNING);
        }
        for (int64_t g = turns * STREAMS; g < num_groups; ++g)
            multiply(rows, g, decode_all(first + g * BYTES, decoded + 2 * TURN), [](int) {});
        store<tiles>(block + i * tiles * TILE * PANEL);
    }
}

// All rows, three tiles at a time: for each the weights are decoded anew, which takes no longer than
// bringing decoded ones and unfinished sums back from the second cache.
template <WeightType type>
void threes(const Panel& panel, int64_t num_panels, const uint8_t* x, int64_t rows,
            uint8_t* decoded, float* block) {
    constexpr int MOST = 3;
    for (int64_t row = 0; row < rows; row += MOST * TILE) {
        const auto run = [&](auto tiles) {
            const RowTiles<decltype(tiles)::value> some(x, panel.num_groups, row / TILE);
            few_rows<type>(panel, num_panels, some, decoded, block + row * PANEL);
        };
        if (rows - row <= TILE)
            run(std::integral_constant<int, 1>());
        else if (rows - row <= 2 * TILE)
            run(std::integral_constant<int, 2>());
        else
            run(std::integral_constant<int, MOST>());
    }
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
        const auto with_sums = [&](int64_t row, auto tiles, auto&& run) {
            constexpr int TILES = decltype(tiles)::value;
            float* sums = block + row * PANEL;
            first == 0 ? clear<TILES>() : load<TILES>(sums);
            run(RowTiles<TILES>(x + first * X_BYTES, panel.num_groups, row / TILE));
            store<TILES>(sums);
        };
        constexpr std::integral_constant<int, 1> ONE;
        constexpr std::integral_constant<int, 2> TWO;
        with_sums(0, TWO, [&](const auto& some) {
            first_rows<type>(groups, count, some, decoded);
        });
        for (int64_t row = TILE_ROWS; row < rows; row += TILE_ROWS, next += count * part)
            if (rows - row > TILE)
                with_sums(row, TWO, [&](const auto& some) {
                    more_rows(weights, count, some, next, part);
                });
            else
                with_sums(row, ONE, [&](const auto& some) {
                    more_rows(weights, count, some, next, part);
                });
    }
}

template <WeightType type>
void tiles(const Panel& panel, int64_t num_panels, const uint8_t* x, int64_t rows, float* block) {
    alignas(64) uint8_t decoded[type == BF16 ? 64 : CHUNK * WEIGHT_BYTES];
    static_assert(2 * STREAMS + 1 <= CHUNK);
    configure_tiles();
    if (rows <= IN_THREES)
        threes<type>(panel, num_panels, x, rows, decoded, block);
    else
        many_blocks<type>(panel, x, rows, decoded, block);
    if (panel.scale[0] == 1.0f && panel.scale[1] == 1.0f) return;
    const int64_t written = divide_up(rows, TILE) * TILE * num_panels;
    for (int64_t i = 0; i < written * PANEL; ++i) block[i] *= panel.scale[i / TILE % 2];
}

Kernels with_tiles(Kernels table) {
    constexpr int64_t FROM[NUM_TYPES] = {3, 6, 7, 2, 7};  // where tiles become the faster way
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
