// Absorbed latent attention: queries multiplied into the space of latents, and mixes out of it. All
// tokens that want a head's matrices get them in one product.
#pragma once

#include "look_core.h"

namespace bise {
namespace {

template <class Mode, class Block>
struct Absorbing {
    using Number = typename Mode::Number;
    using Core = Looking<Mode, Block>;

    // Rows of numbers, padded with zeros, for a product of some tokens with one matrix of a head.
    struct Rows {
        int64_t count, depth, width;
        Number* rows;
        float* products;

        Rows(Carver& carver, int64_t count, int64_t depth, int64_t panels)
            : count(count), depth(depth), width(panels * PANEL) {
            rows = carver.take<Number>(padded(count, TILE) * depth);
            products = carver.take<float>(padded(count, TILE) * width);
        }

        void clear() { std::memset(rows, 0, padded(count, TILE) * depth * sizeof(Number)); }

        void multiply(const uint16_t* matrix) {
            for (int64_t row = 0; row < count; row += TILE) {
                const Number* group = rows + row * depth;
                Mode::up_product({&group, depth}, at_most(TILE, count - row), matrix, width / PANEL,
                                 depth, {products + row * width, width});
            }
        }
    };

    static int64_t room(const LookJob& job, int64_t count, int64_t depth, int64_t panels) {
        const int64_t rows = padded(count, TILE);
        return rows * (depth + panels * PANEL) * 4 + 2 * padded(job.key, DEPTH) * 4 +
               finding_numbers(job) * 4 + 4 * (64 + GAP);
    }

    static void absorb(const LookJob& job, const BundleToken* tokens, int64_t count, int64_t head,
                       int worker) {
        Mode::begin();
        const LatentShape& shape = job.shape;
        const UpLayout up(shape);
        const int64_t depth = padded(job.key, DEPTH);
        Carver carver(scratch(worker, 6, room(job, count, up.nope_depth, up.latent_panels)));
        Rows still(carver, count, up.nope_depth, up.latent_panels);
        auto* whole = carver.template take<Number>(depth);
        still.clear();
        std::memset(whole, 0, depth * sizeof(Number));
        for (int64_t i = 0; i < count; ++i)
            copy_row(Core::query_row(job, *tokens[i].bundle, tokens[i].token, head), shape.nope,
                     still.rows + i * still.depth);
        still.multiply(job.up + head * up.head());
        for (int64_t i = 0; i < count; ++i) {
            const auto [bundle, token] = tokens[i];
            const int64_t row = token * job.sharing + head;
            copy_row(still.products + i * still.width, shape.latent, whole);
            copy_row(Core::query_row(job, *bundle, token, head) + shape.nope, shape.rope,
                     whole + shape.latent);
            Block::put_query(job, Core::query_tile(job, *bundle, row), row % TILE, whole);
        }
    }

    static void give_values(const LookJob& job, const BundleToken* tokens, int64_t count,
                            int64_t head, int worker) {
        Mode::begin();
        const UpLayout up(job.shape);
        const int64_t width = padded(job.value, PANEL), value = job.shape.value;
        Carver carver(scratch(worker, 6, room(job, count, up.latent_depth, up.value_panels)));
        Rows mixes(carver, count, up.latent_depth, up.value_panels);
        auto* found = carver.template take<float>(finding_numbers(job));
        auto* mix = carver.template take<float>(job.value);
        mixes.clear();
        for (int64_t i = 0; i < count; ++i) {
            const int64_t row = tokens[i].token * job.sharing + head, lane = row % TILE;
            const Finding all =
                Core::conclusion(job, *tokens[i].bundle, row / TILE, {lane, TILE}, found);
            Core::divide(all.mix + lane * width, all.sum[lane], job.value, mix);
            copy_row(mix, job.value, mixes.rows + i * mixes.depth);
        }
        mixes.multiply(job.up + head * up.head() + up.make_values());
        for (int64_t i = 0; i < count; ++i) {
            const int64_t token = tokens[i].bundle->row + tokens[i].token;
            std::memcpy(job.out + (token * job.sharing + head) * value,
                        mixes.products + i * mixes.width, value * sizeof(float));
        }
    }
};

template <class Mode, class Block = KeyBlock<Mode>>
constexpr LookKernels kernels_of() {
    using Core = Looking<Mode, Block>;
    using Absorb = Absorbing<Mode, Block>;
    return {Mode::BLOCK, Core::query_bytes,    Core::ask,
            Absorb::absorb,     Core::look, Core::answer, Absorb::give_values};
}

}  // namespace
}  // namespace bise
