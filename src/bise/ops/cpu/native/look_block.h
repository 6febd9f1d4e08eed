// One block of keys and values, brought from the cache into the forms that products want.
#pragma once

#include "guard.h"
#include "look_layout.h"
#include "look_products.h"
#include "look_walk.h"

namespace bise {
namespace {

constexpr int64_t GROUP = 32;  // keys that are prepared together
constexpr int LINES = 10;      // that are asked for between two steps of other work
constexpr int64_t AHEAD = 32;  // keys that memory is asked for before they are needed

// Takes pieces of scratch memory one after the other; from nowhere, only to measure them.
struct Carver {
    uintptr_t at;
    bool is_measuring;

    explicit Carver(void* memory = nullptr)
        : at(reinterpret_cast<uintptr_t>(memory)), is_measuring(!memory) {}

    template <class T>
    T* take(int64_t count) {
        auto* piece = reinterpret_cast<T*>(at);
        const int64_t bytes = count * static_cast<int64_t>(sizeof(T));
        const int64_t room = padded(bytes, 64) + GAP;
        if (!is_measuring) close_gap(reinterpret_cast<char*>(at) + bytes, room - bytes);
        at += room;
        return piece;
    }
};

template <class Number>
inline void copy_row(const float* from, int64_t count, Number* to) {
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES) put(to + i, load(from + i));
    for (; i < count; ++i) put_one(to + i, from[i]);
}

template <class Mode>
class KeyBlock {
   public:
    using Number = typename Mode::Number;
    static constexpr int64_t BLOCK = Mode::BLOCK;

    KeyBlock(const LookJob& job, Carver& carver) : job(job), up(job.shape) {
        key_depth = padded(job.key, DEPTH);
        value_width = padded(job.value, PANEL);
        made_width = up.nope_panels * PANEL + value_width;
        entry_stride = padded(job.cache->width, DEPTH);
        can_point = points_into_cache();
        const bool is_raw = job.form == RAW, is_absorbed = job.form == ABSORBED;
        const int64_t rows = is_absorbed && !can_point ? BLOCK : GROUP;
        entries = carver.take<Number>(is_raw && !can_point ? 0 : rows * entry_stride);
        keys = carver.take<Number>(is_absorbed || (is_raw && can_point) ? 0 : BLOCK * key_depth);
        const int64_t value_rows = Mode::WANTS_PANELS ? GROUP : BLOCK;  // woven at once, or kept
        values = carver.take<Number>(
            is_absorbed || (is_raw && can_point) ? 0 : value_rows * value_width);
        woven = carver.take<Number>(Mode::WANTS_PANELS ? value_width / PANEL * PANEL_STRIDE : 0);
        made = carver.take<float>(job.form == EXPANDED ? GROUP * made_width : 0);
    }

    int64_t width() const { return value_width; }

    // Keys first .. first + count of a span; whole groups, zero where there are no more.
    void fill(const Bundle& bundle, int64_t first, int64_t count, Ahead& ahead) {
        Walk here(*job.cache, *bundle.span, first);
        for (int64_t key = 0; key < count; key += GROUP) {
            for (int64_t half = key; half < key + GROUP; half += TILE) {
                if (!has_help()) prefetch(bundle, first + half + AHEAD, TILE);
                bring(bundle, here, half, count);
            }
            if (job.form == EXPANDED) make(bundle.seat, key);
            weave(key, ahead);
        }
    }

    // Scores of some tiles of queries with a group of keys, [GROUP, tiles * TILE].
    void score(int64_t key, const Number* queries, int tiles, Sums out, Ahead& ahead) const {
        const RowGroups<Number> rows = {key_groups + key / TILE, key_stride};
        const Panels<Number> panels = Mode::query_panels(queries, key_depth);
        if constexpr (Mode::HELPS)
            Mode::product(rows, GROUP, panels, tiles, key_depth, out, [&] { help(ahead); });
        else
            Mode::product(rows, GROUP, panels, tiles, key_depth, out);
    }

    // What some neighbouring keys count for LANES rows of a tile.
    static constexpr int64_t TOGETHER = 2;
    void keep(float* weights, int64_t key, int part, const Floats (&counts)[TOGETHER]) const {
        Mode::keep_weights(weights, key, part, counts[0], counts[1]);
    }

    // out: [tiles] at a stride, each [TILE rows, width]
    void mix(const float* weights, int tiles, int64_t keys, float* out, int64_t tile_stride,
             Ahead& ahead) const {
        const int64_t panels = value_width / PANEL;
        const Sums sums = {out, value_width};
        if constexpr (Mode::HELPS)
            Mode::mix(weights, tiles, keys, {woven, PANEL_STRIDE, 2 * PANEL}, panels, sums,
                      tile_stride, [&] { help(ahead); });
        else if constexpr (Mode::WANTS_PANELS)
            Mode::mix(weights, tiles, keys, {woven, PANEL_STRIDE, 2 * PANEL}, panels, sums,
                      tile_stride);
        else
            Mode::mix(weights, tiles, keys, {value_groups[0], PANEL, value_stride}, panels, sums,
                      tile_stride);
    }

    static int64_t query_numbers(const LookJob& job) { return padded(job.key, DEPTH) * TILE; }

    static void put_query(const LookJob& job, Number* tile, int64_t lane, const Number* numbers) {
        Mode::put_lane(tile, lane, numbers, padded(job.key, DEPTH));
    }

   private:
    // Of the cache that is filled ahead: where tiles of AMX multiply the first, else the second,
    // which does not keep the first's few places for missing lines busy.
    static constexpr int NEARNESS = Mode::HELPS ? 3 : 2;

    // A line more than a panel needs: panels a power of two apart would share cache sets.
    static constexpr int64_t PANEL_STRIDE = (BLOCK + 2) * PANEL;

    const LookJob& job;
    UpLayout up;
    int64_t key_depth, value_width, made_width, entry_stride;
    bool can_point;
    Number *entries, *keys, *values, *woven;
    float* made;
    const Number *key_groups[BLOCK / TILE], *value_groups[BLOCK / TILE];
    const Number* latent_groups[GROUP / TILE];
    int64_t key_stride, value_stride;

    // Where entries are bf16 and need no padding, products read them where they lie.
    bool points_into_cache() const {
        const Cache& cache = *job.cache;
        return Mode::WANTS_PANELS && cache.type == CACHE_BF16 && cache.page_tokens % TILE == 0 &&
               cache.width % DEPTH == 0 && job.shape.latent % DEPTH == 0 &&
               (job.form == EXPANDED || (job.key % DEPTH == 0 && job.value % PANEL == 0));
    }

    // Whether whole entries are fetched between other work, not all at once.
    bool has_help() const { return Mode::HELPS && job.form == ABSORBED; }

    void help(Ahead& ahead) const {
        if (has_help()) ahead.fetch(LINES);
    }

    // The next 16 keys: pointed at, or read into rows of our own.
    void bring(const Bundle& bundle, Walk& here, int64_t key, int64_t count) {
        Number* own =
            entries + (job.form == ABSORBED && !can_point ? key : key % GROUP) * entry_stride;
        if (can_point && key + TILE <= count) {
            const auto* entries_here = static_cast<const Number*>(job.cache->entries);
            point(bundle, entries_here + here.entry() * job.cache->width, key);
            here.step(TILE);
            return;
        }
        for (int64_t i = key; i < key + TILE; ++i) {
            if (job.form == RAW && !can_point)
                read_seat(bundle.seat, i < count ? here.entry() : -1, i);
            else
                read_entry(i < count ? here.entry() : -1, own + (i - key) * entry_stride);
            if (i < count) here.step();
        }
        point(bundle, own, key);
    }

    // Where products find a group of keys, whose entries (unless read by seat) lie at `from`.
    void point(const Bundle& bundle, const Number* from, int64_t key) {
        const int64_t group = key / TILE;
        key_stride = value_stride = entry_stride;
        key_groups[group] = value_groups[group] = from;
        if (job.form == RAW && can_point) {
            key_groups[group] = from + bundle.seat * job.key;
            value_groups[group] = from + job.first_part + bundle.seat * job.value;
        } else if (job.form != ABSORBED) {
            latent_groups[group % 2] = from;
            key_groups[group] = keys + key * key_depth;
            value_groups[group] = value_row(key);
            key_stride = key_depth;
            value_stride = value_width;
        }
    }

    Number* value_row(int64_t key) const {
        return values + (Mode::WANTS_PANELS ? key % GROUP : key) * value_width;
    }

    static void zero(Number* row, int64_t begin, int64_t end) {
        if (begin < end) std::memset(row + begin, 0, (end - begin) * sizeof(Number));
    }

    void read_entry(int64_t entry, Number* to) const {
        const Cache& cache = *job.cache;
        if (entry < 0) return zero(to, 0, entry_stride);
        read_piece(cache, entry, 0, 0, job.first_part, to);
        read_piece(cache, entry, 1, job.first_part, cache.width - job.first_part,
                   to + job.first_part);
        zero(to, cache.width, entry_stride);
    }

    void read_seat(int64_t seat, int64_t entry, int64_t key) const {
        Number *to_key = keys + key * key_depth, *to_value = value_row(key);
        zero(to_key, entry < 0 ? 0 : job.key, key_depth);
        zero(to_value, entry < 0 ? 0 : job.value, value_width);
        if (entry < 0) return;
        read_piece(*job.cache, entry, 0, seat * job.key, job.key, to_key);
        read_piece(*job.cache, entry, 1, job.first_part + seat * job.value, job.value, to_value);
    }

    // Multiply a group of latents up to the keys and values of one head.
    void make(int64_t head, int64_t first) {
        const LatentShape& shape = job.shape;
        const uint16_t* matrix = job.up + head * up.head() + up.make_keys();
        Mode::up_product({latent_groups, entry_stride}, GROUP, matrix,
                         up.nope_panels + up.value_panels, up.latent_depth, {made, made_width});
        for (int64_t i = 0; i < GROUP; ++i) {
            const float* row = made + i * made_width;
            const Number* entry = latent_groups[i / TILE] + i % TILE * entry_stride;
            Number* key = keys + (first + i) * key_depth;
            copy_row(row, shape.nope, key);
            std::memcpy(key + shape.nope, entry + shape.latent, shape.rope * sizeof(Number));
            zero(key, job.key, key_depth);
            copy_row(row + up.nope_panels * PANEL, value_width, value_row(first + i));
        }
    }

    void weave(int64_t first, Ahead& ahead) {
        if constexpr (Mode::WANTS_PANELS)
            for (int64_t key = first; key < first + GROUP; key += 2) {
                if constexpr (Mode::HELPS) help(ahead);
                const Number* even = value_groups[key / TILE] + key % TILE * value_stride;
                Mode::weave(even, even + value_stride, value_width / PANEL, woven + key * PANEL,
                            PANEL_STRIDE);
            }
    }

    void prefetch(const Bundle& bundle, int64_t position, int64_t count) const {
        const int64_t end = at_most(position + count, bundle.last_position() + 1);
        if (position >= end) return;
        for (Walk there(*job.cache, *bundle.span, position); position < end;
             ++position, there.step())
            if (job.form == RAW) {
                prefetch_piece(there.entry(), bundle.seat * job.key, job.key);
                prefetch_piece(there.entry(), job.first_part + bundle.seat * job.value, job.value);
            } else {
                prefetch_piece(there.entry(), 0, job.cache->width);
            }
    }

    void prefetch_piece(int64_t entry, int64_t column, int64_t count) const {
        const int64_t bytes = entry_bytes(job.cache->type);
        const auto* start = static_cast<const uint8_t*>(job.cache->entries);
        const uint8_t* line = start + (entry * job.cache->width + column) * bytes;
        for (const uint8_t* end = line + count * bytes; line < end; line += 64)
            __builtin_prefetch(line, 0, NEARNESS);
    }
};

}  // namespace
}  // namespace bise
