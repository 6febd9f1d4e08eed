// How packed things lie. Private to each file that includes it, like all that variants share.
#pragma once

#include "look.h"

namespace bise {
namespace {

inline int64_t padded(int64_t count, int64_t unit) { return (count + unit - 1) / unit * unit; }

// `up` packed: per head what absorbs a query, [nope / 2][latent][2], then what makes keys and
// values, [latent / 2][nope | value][2]; all bf16, in panels of 16 columns with padded depth.
struct UpLayout {
    explicit UpLayout(const LatentShape& shape)
        : nope_depth(padded(shape.nope, DEPTH)),
          latent_depth(padded(shape.latent, DEPTH)),
          latent_panels(padded(shape.latent, PANEL) / PANEL),
          nope_panels(padded(shape.nope, PANEL) / PANEL),
          value_panels(padded(shape.value, PANEL) / PANEL) {}

    int64_t nope_depth, latent_depth, latent_panels, nope_panels, value_panels;

    int64_t make_keys() const { return latent_panels * PANEL * nope_depth; }  // where it begins
    int64_t make_values() const { return make_keys() + nope_panels * PANEL * latent_depth; }
    int64_t head() const { return make_values() + value_panels * PANEL * latent_depth; }
};

// The left side of a product: groups of 16 rows, each somewhere.
template <class Number>
struct RowGroups {
    const Number* const* groups;
    int64_t stride;
};

// The right side of a product: panels of 16 columns. A line of a panel is 16 fp32 numbers of one
// depth, or 16 pairs of bf16 numbers of two.
template <class Number>
struct Panels {
    const Number* start;
    int64_t panel_stride, line_stride;
};

}  // namespace
}  // namespace bise
