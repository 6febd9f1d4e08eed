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
constexpr int64_t FAR_AHEAD = 8192;                   // bytes
constexpr int64_t CHUNK = 8;                          // groups; 16 KB of bf16 beside as much of rows
constexpr int64_t DECODED_AHEAD = 3, FETCHED_AHEAD = 2 * CHUNK;  // groups

inline void fetch(const uint8_t* from, int64_t bytes) {  // into the second cache
    for (int64_t line = 0; line < bytes; line += 64) __builtin_prefetch(from + line, 0, 2);
}

// Sums of a group stay in tiles 0 to 5, [16 rows][16 outputs], two for each tile of rows; 6 and 7 are
// rows and weights. `between` is called for the four quarters of whatever should happen meanwhile.
template <int tiles, class Between>
inline void multiply(const uint8_t* x, const uint8_t* x_third, const uint8_t* weights,
                     Between&& between) {
    load_tile<6>(weights, 64);
    load_tile<7>(x, 64);
    multiply_tiles<0, 7, 6>();
    between(0);
    if constexpr (tiles == 3) {
        load_tile<7>(x + TILE_BYTES, 64);
        multiply_tiles<2, 7, 6>();
        load_tile<7>(x_third, 64);
        multiply_tiles<4, 7, 6>();
        between(1);
        load_tile<6>(weights + TILE_BYTES, 64);
        multiply_tiles<5, 7, 6>();
        load_tile<7>(x + TILE_BYTES, 64);
        multiply_tiles<3, 7, 6>();
        between(2);
        load_tile<7>(x, 64);
        multiply_tiles<1, 7, 6>();
    } else {
        load_tile<5>(weights + TILE_BYTES, 64);
        multiply_tiles<1, 7, 5>();
        between(1);
        if constexpr (tiles == 2) {
            load_tile<4>(x + TILE_BYTES, 64);
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

// Where some neighbouring panels are being read: a chunk of groups of each, then the next chunk of
// each, and after all the same of those behind `next`.
template <WeightType type>
struct Place {
    static constexpr int64_t BYTES = group_bytes(type);
    const uint8_t *start, *next;
    int64_t num_panels, num_groups, chunk;
    int64_t panel = 0, first = 0, group = 0;

    const uint8_t* at() const { return start + (panel * num_groups + first + group) * BYTES; }

    int64_t chunk_end() const { return std::min(first + chunk, num_groups); }

    void step(int64_t count) {
        for (group += count; first + group >= chunk_end();) {
            group -= chunk_end() - first;
            if (++panel < num_panels) continue;
            panel = 0;
            first += chunk;
            if (first < num_groups) continue;
            first = 0;
            start = next;
        }
    }
};

// Groups as bf16: in place, or decoded some ahead of their use, so that the vector units work beside
// the tiles' unit. Each is read once, and memory asked for those that come.
template <WeightType type>
class Weights {
   public:
    Weights(const Panel& panel, int64_t num_panels, int64_t chunk, uint8_t* decoded)
        : place_{panel.groups, panel.next, num_panels, panel.num_groups, chunk},
          fetched_(place_),
          decoded_(decoded),
          left_(num_panels * panel.num_groups) {
        fetched_.step(FETCHED_AHEAD);
        if constexpr (type != BF16)
            for (int64_t g = 0; g < DECODED_AHEAD; ++g, turn())
                for (int quarter = 0; quarter < 4; ++quarter) work(quarter);
    }

    // The group that is multiplied next; meanwhile, a quarter of work at a time, another is made.
    const uint8_t* here() const {
        if constexpr (type == BF16) return place_.at();
        return decoded_ + used_ % RING * WEIGHT_BYTES;
    }

    void work(int quarter) {
        constexpr int64_t BYTES = group_bytes(type) / 4;
        if (left_ <= 0) return;
        fetch(fetched_.at() + quarter * BYTES, BYTES);
        if constexpr (type != BF16)
            decode_quarter<type>(place_.at(), quarter, decoded_ + made_ % RING * WEIGHT_BYTES);
    }

    void next() {
        ++used_;
        turn();
    }

    static constexpr int64_t RING = DECODED_AHEAD + 1;

   private:
    void turn() {
        if (--left_ < 0) return;
        ++made_;
        place_.step(1);
        fetched_.step(1);
    }

    Place<type> place_, fetched_;
    uint8_t* decoded_;
    int64_t left_, made_ = 0, used_ = 0;
};

// Some groups of a panel, and their first rows: decoded one ahead of its use.
template <WeightType type>
inline void first_rows(const uint8_t* groups, int64_t count, const uint8_t* x, uint8_t* decoded) {
    const auto decode = [&](int64_t g, int quarter) {
        constexpr int64_t BYTES = group_bytes(type) / 4;
        fetch(groups + g * group_bytes(type) + quarter * BYTES + FAR_AHEAD, BYTES);
        if constexpr (type != BF16)
            decode_quarter<type>(groups + g * group_bytes(type), quarter,
                                 decoded + g % CHUNK * WEIGHT_BYTES);
    };
    const auto multiply_group = [&](int64_t g, auto&& between) {
        const uint8_t* weights =
            type == BF16 ? groups + g * WEIGHT_BYTES : decoded + g % CHUNK * WEIGHT_BYTES;
        multiply<2>(x + g * X_BYTES, nullptr, weights, between);
    };
    for (int quarter = 0; quarter < 4; ++quarter) decode(0, quarter);
    for (int64_t g = 0; g < count - 1; ++g)
        multiply_group(g, [&](int quarter) { decode(g + 1, quarter); });
    multiply_group(count - 1, [](int) {});
}

// The same groups with more rows; meanwhile a part of the groups that are next is fetched.
template <int tiles>
inline void more_rows(const uint8_t* weights, int64_t count, const uint8_t* x, const uint8_t* next,
                      int64_t next_bytes) {
    for (int64_t g = 0; g < count; ++g) {
        fetch(next + g * next_bytes, next_bytes);
        multiply<tiles>(x + g * X_BYTES, nullptr, weights + g * WEIGHT_BYTES, [](int) {});
    }
}

// Up to FEW_ROWS. With several panels, a chunk of the rows stays in the first cache while all of them
// pass by, and sums wait in the blocks; one panel has all its groups in one chunk.
template <WeightType type, int tiles>
void few_rows(const Panel& panel, int64_t num_panels, const uint8_t* x, uint8_t* decoded,
               float* block) {
    constexpr int64_t BLOCK = tiles * TILE * PANEL, USED = std::min(tiles, 2) * TILE_BYTES;
    const int64_t num_groups = panel.num_groups, chunk = num_panels > 1 ? CHUNK : num_groups;
    Weights<type> weights(panel, num_panels, chunk, decoded);
    const uint8_t* x_third = x + num_groups * X_BYTES;  // where the next 32 rows lie
    const int64_t share = divide_up(USED, 64 * num_panels) * 64;  // of the rows of the next chunk
    for (int64_t first = 0; first < num_groups; first += chunk)
        for (int64_t i = 0; i < num_panels; ++i) {
            float* sums = block + i * BLOCK;
            first == 0 ? clear<tiles>() : load<tiles>(sums);
            const int64_t end = std::min(first + chunk, num_groups);
            for (int64_t g = first; g < end; ++g, weights.next()) {
                multiply<tiles>(x + g * X_BYTES, x_third + g * X_BYTES, weights.here(),
                                [&](int quarter) { weights.work(quarter); });
                if (g + chunk < num_groups && i * share < USED)
                    fetch(x + (g + chunk) * X_BYTES + i * share, share);
            }
            store<tiles>(sums);
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
            float* sums = block + row * PANEL;
            first == 0 ? clear<tiles>() : load<tiles>(sums);
            run(x + (row / TILE_ROWS * panel.num_groups + first) * X_BYTES);
            store<tiles>(sums);
        };
        constexpr std::integral_constant<int, 1> ONE;
        constexpr std::integral_constant<int, 2> TWO;
        with_sums(0, TWO, [&](const uint8_t* at) {
            first_rows<type>(groups, count, at, decoded);
        });
        for (int64_t row = TILE_ROWS; row < rows; row += TILE_ROWS, next += count * part)
            if (rows - row > TILE)
                with_sums(row, TWO, [&](const uint8_t* at) {
                    more_rows<2>(weights, count, at, next, part);
                });
            else
                with_sums(row, ONE, [&](const uint8_t* at) {
                    more_rows<1>(weights, count, at, next, part);
                });
    }
}

template <WeightType type>
void tiles(const Panel& panel, int64_t num_panels, const uint8_t* x, int64_t rows, float* block) {
    alignas(64) uint8_t decoded[type == BF16 ? 64 : CHUNK * WEIGHT_BYTES];
    static_assert(Weights<type>::RING <= CHUNK);
    configure_tiles();
    if (rows <= TILE)
        few_rows<type, 1>(panel, num_panels, x, decoded, block);
    else if (rows <= 2 * TILE)
        few_rows<type, 2>(panel, num_panels, x, decoded, block);
    else if (rows <= FEW_ROWS)
        few_rows<type, 3>(panel, num_panels, x, decoded, block);
    else
        many_blocks<type>(panel, x, rows, decoded, block);
    if (panel.scale[0] == 1.0f && panel.scale[1] == 1.0f) return;
    const int64_t written = divide_up(rows, TILE) * TILE * num_panels;
    for (int64_t i = 0; i < written * PANEL; ++i) block[i] *= panel.scale[i / TILE % 2];
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
