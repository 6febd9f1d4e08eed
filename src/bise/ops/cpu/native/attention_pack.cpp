// The matrices that multiply latents up, packed for products.
#include <cstring>

#include "look_layout.h"
#include "look_vector.h"
#include "pool.h"

namespace bise {

namespace {

struct UpRows {
    const void* values;
    bool is_bf16;

    uint16_t at(int64_t index) const {
        if (is_bf16) return static_cast<const uint16_t*>(values)[index];
        return to_bf16(static_cast<const float*>(values)[index]);
    }
};

// to[panel][depth / 2][column][2]; `number(depth, column)` says what stands there.
template <class F>
void pack_panels(int64_t columns, int64_t depth, F number, uint16_t* to) {
    for (int64_t column = 0; column < columns; ++column)
        for (int64_t d = 0; d < depth; ++d) {
            const int64_t panel = column / PANEL * PANEL * padded(depth, DEPTH);
            to[panel + (d / 2 * PANEL + column % PANEL) * 2 + d % 2] = number(d, column);
        }
}

}  // namespace

int64_t latent_up_bytes(const LatentShape& shape) {
    return shape.heads * UpLayout(shape).head() * static_cast<int64_t>(sizeof(uint16_t));
}

void pack_latent_up(const LatentShape& shape, const void* up, bool is_bf16, uint8_t* packed) {
    const UpLayout layout(shape);
    const UpRows rows{up, is_bf16};
    std::memset(packed, 0, latent_up_bytes(shape));
    parallel(shape.heads, [&](int64_t head, int) {
        const int64_t keys = head * (shape.nope + shape.value), values = keys + shape.nope;
        auto* to = reinterpret_cast<uint16_t*>(packed) + head * layout.head();
        const auto absorbing = [&](int64_t d, int64_t c) {
            return rows.at((keys + d) * shape.latent + c);
        };
        const auto key = [&](int64_t d, int64_t c) {
            return rows.at((keys + c) * shape.latent + d);
        };
        const auto value = [&](int64_t d, int64_t c) {
            return rows.at((values + c) * shape.latent + d);
        };
        pack_panels(shape.latent, shape.nope, absorbing, to);
        pack_panels(shape.nope, shape.latent, key, to + layout.make_keys());
        pack_panels(shape.value, shape.latent, value, to + layout.make_values());
    });
}

}  // namespace bise
