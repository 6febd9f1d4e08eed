#include "vision_rows.h"

#include <cmath>
#include <cstring>

#include "matrix_layout.h"
#include "over_rows.h"

namespace bise {

namespace {

// Call body(its picture, its number in it, its row) for the patches of a chunk. With `per` patches
// to a token: for its tokens.
template <class F>
void each_row(const EyeRoom& room, int64_t first, int64_t count, int64_t width, int64_t per,
              F&& body) {
    over_rows(count, width, [&](int64_t begin, int64_t end) {
        const Place* place = room.places.data();
        for (int64_t row = begin; row < end; ++row) {
            while (first + row >= (place->first + place->count) / per) ++place;
            body(*place, first + row - place->first / per, row);
        }
    });
}

void keep(const float* from, int64_t count, float* to) {
    std::memcpy(to, from, count * sizeof(float));
}

void keep(const float* from, int64_t count, uint16_t* to) {
    for (int64_t i = 0; i < count; ++i) to[i] = to_bf16(from[i]);
}

template <class Number>
void deal_row(const Eye& eye, const Place& place, int64_t patch, const float* from) {
    const int64_t width = eye.dim / eye.heads;
    for (int64_t head = 0; head < eye.heads; ++head, from += width) {
        auto* entry = reinterpret_cast<Number*>(place.entries) +
                      (head * place.page_tokens + patch) * 2 * width;
        keep(from, width, place.query + (head * place.query_rows() + patch) * width);
        keep(from + eye.dim, width, entry);
        keep(from + 2 * eye.dim, width, entry + width);
    }
}

}  // namespace

void turn(const Eye& eye, const EyeRoom& room) {
    const int64_t pairs = room.head_dim / 2;
    each_row(room, 0, room.num_patches, 16 * pairs, 1,
             [&](const Place& place, int64_t patch, int64_t row) {
                 const float y = float(patch / place.picture.cols);
                 const float x = float(patch % place.picture.cols);
                 for (int64_t pair = 0; pair < pairs; ++pair) {
                     const bool by_row = pair < (pairs + 1) / 2;
                     const int64_t lane = by_row ? 2 * pair : 2 * (pair - (pairs + 1) / 2) + 1;
                     const float angle = (by_row ? y : x) * eye.frequencies[lane];
                     room.cos[row * pairs + pair] = std::cos(angle);
                     room.sin[row * pairs + pair] = std::sin(angle);
                 }
             });
}

void clear_ends(const Eye& eye, const EyeRoom& room) {
    for (const Place& place : room.places) {
        const int64_t missing = place.query_rows() - place.count;
        for (int64_t head = 0; head < eye.heads; ++head)
            std::fill_n(place.query + (head * place.query_rows() + place.count) * room.head_dim,
                        missing * room.head_dim, 0.0f);
    }
}

void cut(const Eye& eye, const EyeRoom& room, int64_t first, int64_t count, float* to) {
    const int64_t side = eye.patch, width = eye.channels * side * side;
    each_row(room, first, count, width, 1, [&](const Place& place, int64_t patch, int64_t row) {
        const auto& [pixels, rows, cols] = place.picture;
        const int64_t line = cols * side, top = patch / cols * side, left = patch % cols * side;
        float* next = to + row * width;
        for (int64_t channel = 0; channel < eye.channels; ++channel)
            for (int64_t y = 0; y < side; ++y, next += side)
                keep(pixels + (channel * rows * side + top + y) * line + left, side, next);
    });
}

void deal(const Eye& eye, const EyeRoom& room, int64_t first, int64_t count, const float* from) {
    each_row(room, first, count, 3 * eye.dim, 1,
             [&](const Place& place, int64_t patch, int64_t row) {
                 const float* numbers = from + row * 3 * eye.dim;
                 if (room.type == CACHE_BF16)
                     deal_row<uint16_t>(eye, place, patch, numbers);
                 else
                     deal_row<float>(eye, place, patch, numbers);
             });
}

void gather(const Eye& eye, const EyeRoom& room, int64_t first, int64_t count, float* to) {
    const int64_t width = room.head_dim;
    each_row(room, first, count, eye.dim, 1, [&](const Place& place, int64_t patch, int64_t row) {
        float* next = to + row * eye.dim;
        for (int64_t head = 0; head < eye.heads; ++head, next += width)
            keep(place.seen + (head * place.query_rows() + patch) * width, width, next);
    });
}

void merge(const Eye& eye, const EyeRoom& room, int64_t first, int64_t count, float* to) {
    const int64_t side = eye.merge, all = side * side, width = eye.dim * all;
    each_row(room, first, count, width, all, [&](const Place& place, int64_t token, int64_t row) {
        const int64_t cols = place.picture.cols, tokens = cols / side;
        const int64_t corner = token / tokens * side * cols + token % tokens * side;
        for (int64_t i = 0; i < all; ++i) {
            const int64_t patch = place.first + corner + i / side * cols + i % side;
            const float* from = room.stream + patch * eye.dim;
            float* next = to + row * width + i;
            for (int64_t number = 0; number < eye.dim; ++number, next += all) *next = from[number];
        }
    });
}

void gelu(float* x, int64_t rows, int64_t width) {
    constexpr float ROOT_HALF = 0.70710678f;
    over_rows(rows, 16 * width, [&](int64_t first, int64_t last) {
        for (int64_t i = first * width; i < last * width; ++i)
            x[i] *= 0.5f * (1.0f + std::erf(x[i] * ROOT_HALF));
    });
}

}  // namespace bise
