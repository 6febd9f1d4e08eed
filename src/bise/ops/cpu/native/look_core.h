// The order of work of every look, over the products of a mode (fp32 or bf16, of some processor).
#pragma once

#include <cmath>

#include "look_block.h"
#include "look_finding.h"
#include "pool.h"

namespace bise {
namespace {

constexpr float HIDDEN = -INFINITY;  // the score of a key that may not be seen
constexpr float LOG2_E = 1.44269504f;

template <class Mode, class Block>
struct Looking {
    using Number = typename Mode::Number;
    static constexpr int64_t BLOCK = Mode::BLOCK;

    static int64_t query_bytes(const LookJob& job) {
        return Block::query_numbers(job) * static_cast<int64_t>(sizeof(Number));
    }

    // Scores of some tiles with the keys of a block, [keys, tiles * TILE], and each row's largest.
    // Maxima are taken while a group's scores are at hand, and other units multiply the next.
    static void score(const Sight& sight, const Block& block, const Number* queries, int tiles,
                      float* scores, Floats maxima[][PARTS], Ahead& ahead) {
        const int64_t stride = tiles * TILE;
        for (int i = 0; i < tiles; ++i)
            for (int part = 0; part < PARTS; ++part) maxima[i][part] = spread(HIDDEN);
        for (int64_t key = 0; key < sight.keys; key += GROUP) {
            float* group = scores + key * stride;
            block.score(key, queries, tiles, {group, stride}, ahead);
            for (int i = 0; i < tiles; ++i)
                for (int part = 0; part < PARTS; ++part) {
                    float* column = group + i * TILE + part * LANES;
                    const int32_t* last = sight.last + i * TILE + part * LANES;
                    if (!sight.sees_all[i])
                        hide(load(last) - static_cast<int32_t>(key), column, stride);
                    maxima[i][part] = largest(maxima[i][part], highest(column, stride));
                }
        }
    }

    static void hide(Ints last, float* column, int64_t stride) {
        for (int32_t key = 0; key < GROUP; ++key, column += stride)
            store(column, last >= Ints{} + key ? load(column) : spread(HIDDEN));
    }

    static Floats highest(const float* column, int64_t stride) {
        Floats found[4];
        for (int i = 0; i < 4; ++i) found[i] = load(column + i * stride);
        for (int64_t key = 4; key < GROUP; key += 4)
            for (int i = 0; i < 4; ++i)
                found[i] = largest(found[i], load(column + (key + i) * stride));
        return largest(largest(found[0], found[1]), largest(found[2], found[3]));
    }

    // Softmax of a tile's scores from its own maximum on; weights for the values.
    static void weigh(const Block& block, const Floats* maxima, float unit, const float* scores,
                      int64_t stride, int64_t keys, float* weights, Finding finding) {
        constexpr int64_t TOGETHER = Block::TOGETHER;
        for (int part = 0; part < PARTS; ++part) {
            const float* column = scores + part * LANES;
            const Floats maximum = largest(maxima[part] * unit, spread(NOTHING));
            Floats sum{};
            for (int64_t key = 0; key < keys; key += TOGETHER) {
                Floats counts[TOGETHER];
                for (int64_t i = 0; i < TOGETHER; ++i) {
                    const Floats score = load(column + (key + i) * stride);
                    counts[i] = Mode::power(score * unit - maximum);
                    sum = sum + counts[i];
                }
                block.keep(weights, key, part, counts);
            }
            store(finding.maximum + part * LANES, maximum);
            store(finding.sum + part * LANES, sum);
        }
    }

    struct Desk {
        Carver carver;
        Block block;
        float *scores, *weights, *parts;

        Desk(const LookJob& job, int worker)
            : carver(scratch(worker, 4, bytes(job))), block(job, carver) {
            scores = carver.take<float>(2 * TILE * BLOCK);
            weights = carver.take<float>(2 * TILE * BLOCK);
            parts = carver.take<float>(2 * finding_numbers(job));
        }

        static int64_t bytes(const LookJob& job) {
            Carver measure;
            Block block(job, measure);
            measure.take<float>(2 * TILE * BLOCK);
            measure.take<float>(2 * TILE * BLOCK);
            measure.take<float>(2 * finding_numbers(job));
            return static_cast<int64_t>(measure.at);
        }
    };

    // One or two tiles look at a block that is there.
    static void look_at_block(const LookJob& job, const Bundle& bundle, Desk& desk, int64_t first,
                              int64_t count, int64_t tile, int tiles, bool is_first,
                              float* findings, Ahead& ahead) {
        const int64_t size = finding_numbers(job), width = desk.block.width();
        const Sight sight(job, bundle, tile, tiles, first, count);
        if (sight.keys == 0 && !is_first) return;
        const int64_t keys = sight.keys;
        const auto* queries =
            static_cast<const Number*>(bundle.queries) + tile * Block::query_numbers(job);
        Floats maxima[2][PARTS];
        score(sight, desk.block, queries, tiles, desk.scores, maxima, ahead);
        float* parts = is_first ? findings + tile * size : desk.parts;
        for (int i = 0; i < tiles; ++i)
            weigh(desk.block, maxima[i], job.scale * LOG2_E, desk.scores + i * TILE, tiles * TILE,
                  keys, desk.weights + i * BLOCK * TILE, Finding(parts + i * size));
        desk.block.mix(desk.weights, tiles, keys, Finding(parts).mix, size, ahead);
        for (int i = 0; i < tiles && !is_first; ++i)
            fold(Finding(findings + (tile + i) * size), Finding(parts + i * size), width, {0, 1});
    }

    // All tiles of a bundle look at one range of keys; findings [tiles].
    static void look_at_range(const LookJob& job, const Bundle& bundle, Desk& desk, int64_t range,
                              float* findings) {
        const int64_t begin = range * bundle.range_keys;
        const int64_t end = at_most(begin + bundle.range_keys, bundle.last_position() + 1);
        // The first block was most likely asked for by this worker's last task, the range before.
        Ahead ahead(*job.cache, *bundle.span, begin + BLOCK);
        for (int64_t first = begin; first < end; first += BLOCK) {
            const int64_t count = at_most(BLOCK, end - first);
            ahead.until(at_most(first + 2 * BLOCK, bundle.last_position() + 1));
            desk.block.fill(bundle, first, count, ahead);
            for (int64_t tile = 0; tile < bundle.tiles; tile += 2) {
                const int tiles = tile + 1 < bundle.tiles ? 2 : 1;
                look_at_block(job, bundle, desk, first, count, tile, tiles, first == begin,
                              findings, ahead);
            }
        }
    }

    // A bundle in which nobody else has a share: all that belongs to it stays in one cache.
    static void look_alone(const LookJob& job, Bundle bundle, int worker) {
        const int64_t query_count = bundle.tiles * Block::query_numbers(job);
        const int64_t finding_count = bundle.tiles * finding_numbers(job);
        const int64_t bytes = query_count * sizeof(Number) + finding_count * sizeof(float) + 2 * GAP;
        Carver carver(scratch(worker, 7, bytes));
        bundle.queries = carver.take<Number>(query_count);
        bundle.findings = carver.take<float>(finding_count);
        ask(job, bundle, worker);
        look(job, bundle, 0, worker);
        answer(job, bundle, worker);
    }

    static void look(const LookJob& job, const Bundle& bundle, int64_t range, int worker) {
        if (!bundle.queries) return look_alone(job, bundle, worker);
        Mode::begin();
        Desk desk(job, worker);
        const int64_t size = bundle.tiles * finding_numbers(job);
        if (!bundle.is_folded) {
            look_at_range(job, bundle, desk, range, bundle.findings + range * size);
            return;
        }
        look_at_range(job, bundle, desk, 0, bundle.findings);
        for (int64_t later = 1; later < bundle.num_ranges; ++later) {
            auto* findings = static_cast<float*>(scratch(worker, 5, size * 4));
            look_at_range(job, bundle, desk, later, findings);
            fold_tiles(job, bundle, findings);
        }
    }

    static void fold_tiles(const LookJob& job, const Bundle& bundle, float* findings) {
        const int64_t size = finding_numbers(job), width = padded(job.value, PANEL);
        for (int64_t tile = 0; tile < bundle.tiles; ++tile)
            fold(Finding(bundle.findings + tile * size), Finding(findings + tile * size), width,
                 {0, 1});
    }

    static const float* query_row(const LookJob& job, const Bundle& bundle, int64_t token,
                                  int64_t head) {
        const int64_t width = job.form == ABSORBED ? job.shape.nope + job.shape.rope : job.key;
        return job.query + ((bundle.row + token) * job.heads() + head) * width;
    }

    // Rows of one head lie pages apart: no hardware foresees them.
    static constexpr int64_t SOON = 8;

    template <int writes>
    static void prefetch_row(const float* row, int64_t count) {
        for (int64_t i = 0; i < count; i += 64 / sizeof(float)) __builtin_prefetch(row + i, writes);
    }

    static Number* query_tile(const LookJob& job, const Bundle& bundle, int64_t row) {
        return static_cast<Number*>(bundle.queries) + row / TILE * Block::query_numbers(job);
    }

    static void ask(const LookJob& job, const Bundle& bundle, int worker) {
        const int64_t depth = padded(job.key, DEPTH);
        auto* numbers = static_cast<Number*>(scratch(worker, 6, depth * sizeof(Number)));
        std::memset(numbers, 0, depth * sizeof(Number));
        for (int64_t row = 0; row < bundle.count * job.sharing; ++row) {
            const int64_t at = bundle.seat * job.sharing + row % job.sharing;
            prefetch_row<0>(
                query_row(job, bundle, at_most(row / job.sharing + SOON, bundle.count - 1), at),
                job.key);
            copy_row(query_row(job, bundle, row / job.sharing, at), job.key, numbers);
            Block::put_query(job, query_tile(job, bundle, row), row % TILE, numbers);
        }
    }

    // What some rows of a tile have found in all ranges; `room` is for folding it there.
    static Finding conclusion(const LookJob& job, const Bundle& bundle, int64_t tile, RowSet rows,
                              float* room) {
        const int64_t size = finding_numbers(job), width = padded(job.value, PANEL);
        float* found = bundle.findings + tile * size;
        if (bundle.is_folded || bundle.num_ranges == 1) return Finding(found);
        const Finding first(found), total(room);
        std::memcpy(total.maximum, first.maximum, 2 * TILE * sizeof(float));  // and the sums
        for (int64_t row = rows.first; row < TILE; row += rows.step)
            std::memcpy(total.mix + row * width, first.mix + row * width, width * sizeof(float));
        for (int64_t range = 1; range < bundle.num_ranges; ++range)
            fold(total, Finding(found + range * bundle.tiles * size), width, rows);
        return total;
    }

    static void answer(const LookJob& job, const Bundle& bundle, int worker) {
        const int64_t rows = bundle.count * job.sharing, width = padded(job.value, PANEL);
        auto* room = static_cast<float*>(scratch(worker, 6, finding_numbers(job) * 4));
        for (int64_t tile = 0; tile < bundle.tiles; ++tile) {
            const Finding found = conclusion(job, bundle, tile, {0, 1}, room);
            for (int64_t row = tile * TILE; row < at_most(rows, (tile + 1) * TILE); ++row) {
                const int64_t at = bundle.seat * job.sharing + row % job.sharing;
                float* out =
                    job.out + ((bundle.row + row / job.sharing) * job.heads() + at) * job.value;
                if (row / job.sharing + SOON < bundle.count)
                    prefetch_row<1>(out + SOON * job.heads() * job.value, job.value);
                divide(found.mix + row % TILE * width, found.sum[row % TILE], job.value, out);
            }
        }
    }

    static void divide(const float* mix, float sum, int64_t count, float* out) {
        const float share = 1.0f / sum;
        for (int64_t i = 0; i < count; ++i) out[i] = mix[i] * share;
    }
};

}  // namespace
}  // namespace bise
