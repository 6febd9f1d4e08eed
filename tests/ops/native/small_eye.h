// A tiny eye with everything in it, and what it must see.
#pragma once

#include <deque>

#include "plain.h"
#include "vision.h"

class SmallEye {
   public:
    bise::Eye eye = {};

    explicit SmallEye(bise::WeightType type) {
        for (int64_t i = 0; i < WIDTH / 2; ++i) frequencies_.push_back(std::pow(0.5f, float(i)));
        eye.dim = DIM, eye.num_layers = LAYERS, eye.heads = HEADS;
        eye.channels = CHANNELS, eye.patch = PATCH, eye.merge = MERGE, eye.vector_dim = VECTOR;
        eye.norm_eps = EPS, eye.projector_norm_eps = EPS, eye.frequencies = frequencies_.data();
        eye.pixels = matrix(type, DIM, CHANNELS * PATCH * PATCH), eye.norm = vector();
        for (int64_t layer = 0; layer < LAYERS; ++layer) {
            bise::VisionBlock block = {};
            block.attention_norm = vector(), block.mlp_norm = vector();
            for (bise::Matrix* one : {&block.q, &block.k, &block.v, &block.out})
                *one = matrix(type, DIM, DIM);
            block.mlp = mlps_.emplace_back(type, DIM, 20, 1000 + 10 * layer).gated;
            blocks_.push_back(block);
        }
        eye.blocks = blocks_.data(), eye.projector_norm = vector();
        eye.merging = matrix(type, DIM, DIM * MERGE * MERGE);
        eye.w_in = matrix(type, VECTOR, DIM), eye.w_out = matrix(type, VECTOR, VECTOR);
    }
    SmallEye(const SmallEye&) = delete;

    Numbers picture(int64_t rows, int64_t cols, uint64_t seed) const {
        return drawn(CHANNELS * rows * cols * PATCH * PATCH, seed);
    }

    // [tokens, vector] for one picture, by plain loops
    Numbers vectors(const Numbers& pixels, int64_t rows, int64_t cols) const {
        Numbers stream = norm(matrices_[0].times(cut(pixels, rows, cols)), 0);
        for (int64_t layer = 0; layer < LAYERS; ++layer) {
            const Kept* four = &matrices_[1 + 4 * layer];
            const Numbers normed = norm(stream, 1 + 2 * layer);
            Numbers query = four[0].times(normed), key = four[1].times(normed);
            turn(query, cols), turn(key, cols);
            add(stream, four[3].times(seen(query, key, four[2].times(normed))));
            add(stream, mlps_[layer](norm(stream, 2 + 2 * layer)));
        }
        const Kept* last = &matrices_[1 + 4 * LAYERS];
        Numbers hidden = last[1].times(last[0].times(merged(norm(stream, 1 + 2 * LAYERS), cols)));
        for (float& number : hidden) number *= 0.5f * (1 + std::erf(number / std::sqrt(2.0f)));
        return last[2].times(hidden);
    }

   private:
    static constexpr float EPS = 1e-5f;
    static constexpr int64_t DIM = 24, LAYERS = 2, HEADS = 2, WIDTH = DIM / HEADS;
    static constexpr int64_t CHANNELS = 3, PATCH = 3, MERGE = 2, VECTOR = 40;

    bise::Matrix matrix(bise::WeightType type, int64_t outputs, int64_t inputs) {
        matrices_.reserve(4 + 4 * LAYERS);  // they are pointed at
        return matrices_.emplace_back(type, outputs, inputs, 10 * matrices_.size() + 3).matrix;
    }

    const float* vector() {
        Numbers numbers = drawn(DIM, 500 + norms_.size(), 0.2f);
        for (float& number : numbers) number += 1.0f;
        return norms_.emplace_back(numbers).data();
    }

    static void add(Numbers& to, const Numbers& what) {
        for (size_t i = 0; i < to.size(); ++i) to[i] += what[i];
    }

    Numbers norm(Numbers x, int64_t number) const {
        for (size_t row = 0; row < x.size(); row += DIM) {
            double square = 0;
            for (int64_t i = 0; i < DIM; ++i) square += double(x[row + i]) * x[row + i];
            const double inverse = 1 / std::sqrt(square / double(DIM) + double(EPS));
            for (int64_t i = 0; i < DIM; ++i)
                x[row + i] = float(x[row + i] * inverse * norms_[number][i]);
        }
        return x;
    }

    static Numbers cut(const Numbers& pixels, int64_t rows, int64_t cols) {
        Numbers out;
        for (int64_t patch = 0; patch < rows * cols; ++patch)
            for (int64_t i = 0; i < CHANNELS * PATCH * PATCH; ++i) {
                const int64_t channel = i / (PATCH * PATCH), y = i / PATCH % PATCH, x = i % PATCH;
                const int64_t line = patch / cols * PATCH + y, column = patch % cols * PATCH + x;
                out.push_back(pixels[(channel * rows * PATCH + line) * cols * PATCH + column]);
            }
        return out;
    }

    // Even frequencies turn the first pairs, by row; odd ones the others, by column.
    void turn(Numbers& x, int64_t cols) const {
        constexpr int64_t PAIRS = WIDTH / 2, BY_ROW = (PAIRS + 1) / 2;
        for (size_t at = 0; at < x.size(); at += 2) {
            const int64_t patch = int64_t(at) / DIM, pair = int64_t(at) / 2 % PAIRS;
            const int64_t lane = pair < BY_ROW ? 2 * pair : 2 * (pair - BY_ROW) + 1;
            const int64_t place = pair < BY_ROW ? patch / cols : patch % cols;
            const float angle = float(place) * frequencies_[lane];
            const float even = x[at], odd = x[at + 1];
            x[at] = even * std::cos(angle) - odd * std::sin(angle);
            x[at + 1] = odd * std::cos(angle) + even * std::sin(angle);
        }
    }

    // Everybody looks at everybody.
    static Numbers seen(const Numbers& query, const Numbers& key, const Numbers& value) {
        Numbers out;
        const int64_t patches = int64_t(query.size()) / DIM;
        for (int64_t row = 0; row < patches * HEADS; ++row) {
            Numbers keys, values;
            for (int64_t patch = 0; patch < patches; ++patch) {
                const int64_t at = patch * DIM + row % HEADS * WIDTH;
                keys.insert(keys.end(), &key[at], &key[at] + WIDTH);
                values.insert(values.end(), &value[at], &value[at] + WIDTH);
            }
            const float scale = 1 / std::sqrt(float(WIDTH));
            const Numbers found = look(&query[row * WIDTH], keys, values, patches, scale);
            out.insert(out.end(), found.begin(), found.end());
        }
        return out;
    }

    static Numbers merged(const Numbers& stream, int64_t cols) {
        Numbers out;
        const int64_t tokens = int64_t(stream.size()) / DIM / (MERGE * MERGE);
        const int64_t across = cols / MERGE;
        for (int64_t token = 0; token < tokens; ++token)
            for (int64_t number = 0; number < DIM; ++number)
                for (int64_t i = 0; i < MERGE * MERGE; ++i) {
                    const int64_t row = token / across * MERGE + i / MERGE;
                    const int64_t column = token % across * MERGE + i % MERGE;
                    out.push_back(stream[(row * cols + column) * DIM + number]);
                }
        return out;
    }

    std::vector<Kept> matrices_;  // pixels; q, k, v and out of each layer; merging, w_in, w_out
    std::deque<Numbers> norms_;
    std::deque<FeedForward> mlps_;
    std::vector<bise::VisionBlock> blocks_;
    Numbers frequencies_;
};
