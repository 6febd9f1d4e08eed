// Two tiny networks with everything in them, and what they must say.
#pragma once

#include <deque>
#include <numeric>

#include "network.h"
#include "plain.h"

constexpr float NORM_EPS = 1e-6f, SCALE = 0.3f;
constexpr int64_t HEADS = 4, KV_HEADS = 2, HEAD_DIM = 10, PAIRS = 3, GROUPED_PAIRS = HEAD_DIM / 2;
constexpr int64_t DIM = 40, VOCAB = 50, LAYERS = 2, EXPERTS = 5, TOPK = 2, Q_LATENT = 18;
constexpr bise::LatentShape LATENT = {HEADS, 10, 2 * PAIRS, 9, 20, SCALE};
constexpr int64_t UP = LATENT.nope + LATENT.value, QUERY = LATENT.nope + LATENT.rope;
constexpr int64_t LATENT_WIDTH = LATENT.latent + LATENT.rope;
constexpr int64_t GROUPED_WIDTH = 2 * KV_HEADS * HEAD_DIM;

inline uint16_t bf16_of(float number) { return bise::to_bf16(number); }

// A head's key and value from an entry.
inline void make_key_and_value(const Numbers& up, int64_t head, const float* entry, Numbers& keys,
                               Numbers& values) {
    const float* rows = &up[head * UP * LATENT.latent];
    for (int64_t i = 0; i < UP; ++i)
        (i < LATENT.nope ? keys : values)
            .push_back(std::inner_product(entry, entry + LATENT.latent, rows + i * LATENT.latent,
                                          0.0f));
    keys.insert(keys.end(), entry + LATENT.latent, entry + LATENT_WIDTH);
}

class SmallNetwork {
   public:
    bise::Network network = {};

    SmallNetwork(bool is_latent, bise::WeightType type) : type_(type), head_(type, VOCAB, DIM, 99) {
        for (const float number : drawn(VOCAB * DIM, 98)) embedding_.push_back(bf16_of(number));
        norm_ = vector_of(DIM, 97);
        for (int64_t i = 0; i < GROUPED_PAIRS; ++i) frequencies_.push_back(std::pow(0.3f, float(i)));
        for (int64_t i = 0; i < LAYERS; ++i) is_latent ? add_latent(100 * i) : add_grouped(100 * i);
        network.dim = DIM, network.vocab = VOCAB, network.num_layers = LAYERS;
        network.heads = HEADS, network.norm_eps = NORM_EPS, network.is_latent = is_latent;
        network.latent = LATENT, network.q_latent = is_latent ? Q_LATENT : 0;
        network.grouped = {HEADS, KV_HEADS, HEAD_DIM, SCALE};
        network.rope = is_latent ? LATENT.rope : HEAD_DIM, network.topk = is_latent ? TOPK : 0;
        network.frequencies = frequencies_.data();
        network.query_growth = 0.1f, network.growth_step = 7;
        network.embedding = embedding_.data(), network.norm = norm_.data();
        network.head = head_.matrix, network.layers = layers_.data();
    }
    SmallNetwork(const SmallNetwork&) = delete;

    int64_t width() const {
        return network.is_latent ? LATENT_WIDTH : GROUPED_WIDTH;
    }

    // [tokens, vocab] for one text, by plain loops
    Numbers logits(const std::vector<int64_t>& ids) const {
        Numbers stream;
        for (const int64_t id : ids)
            for (int64_t i = 0; i < DIM; ++i)
                stream.push_back(bise::from_bf16(embedding_[id * DIM + i]));
        for (int64_t layer = 0; layer < LAYERS; ++layer) {
            const Parts& one = parts_[layer];
            const Numbers normed = norm(stream, DIM, one.norms[0]);
            add(stream, one.matrices.back().times(network.is_latent ? look_latent(one, normed)
                                                                    : look_grouped(one, normed)));
            const Numbers thought = norm(stream, DIM, one.norms[1]);
            add(stream, network.is_latent ? mix(one, thought) : one.experts[0](thought));
        }
        return head_.times(norm(stream, DIM, norm_));
    }

   private:
    struct Parts {
        std::deque<Kept> matrices;  // the last one is `out`
        std::deque<Numbers> norms;
        std::deque<FeedForward> experts;  // the last one is shared; or the only one is dense
        std::vector<bise::Gated> gated;
        std::vector<Line> up;
        Numbers up_values, router;
    };

    static Numbers vector_of(int64_t count, uint64_t seed) {
        Numbers numbers = drawn(count, seed, 0.2f);
        for (float& number : numbers) number += 1.0f;
        return numbers;
    }

    Parts& begin_layer(uint64_t seed) {
        Parts& one = parts_.emplace_back();
        one.norms = {vector_of(DIM, seed + 1), vector_of(DIM, seed + 2)};
        layers_.emplace_back() = {};
        layers_.back().attention_norm = one.norms[0].data();
        layers_.back().mlp_norm = one.norms[1].data();
        return one;
    }

    void add_latent(uint64_t seed) {
        Parts& one = begin_layer(seed);
        one.norms.push_back(vector_of(Q_LATENT, seed + 3));
        one.norms.push_back(vector_of(LATENT.latent, seed + 4));
        one.matrices.emplace_back(type_, Q_LATENT, DIM, seed + 5);
        one.matrices.emplace_back(type_, LATENT_WIDTH, DIM, seed + 6);
        one.matrices.emplace_back(type_, HEADS * QUERY, Q_LATENT, seed + 7);
        one.matrices.emplace_back(type_, DIM, HEADS * LATENT.value, seed + 8);
        one.up_values = drawn(HEADS * UP * LATENT.latent, seed + 9, 0.4f);
        for (float& number : one.up_values) number = bise::from_bf16(bf16_of(number));
        one.up.resize(bise::latent_up_bytes(LATENT) / 64 + 1);
        bise::pack_latent_up(LATENT, one.up_values.data(), false, one.up[0].bytes);
        one.router = drawn(EXPERTS * DIM, seed + 10);
        for (int64_t i = 0; i <= EXPERTS; ++i) {
            one.experts.emplace_back(type_, DIM, 24, seed + 11 + 9 * i);
            one.gated.push_back(one.experts.back().gated);
        }
        bise::Layer& layer = layers_.back();
        layer.q_down = one.matrices[0].matrix, layer.kv_down = one.matrices[1].matrix;
        layer.q_up = one.matrices[2].matrix, layer.out = one.matrices[3].matrix;
        layer.q_norm = one.norms[2].data(), layer.kv_norm = one.norms[3].data();
        layer.up = {one.up[0].bytes}, layer.router = one.router.data();
        layer.mixture = {one.gated.data(), EXPERTS, &one.gated.back()};
    }

    void add_grouped(uint64_t seed) {
        Parts& one = begin_layer(seed);
        for (const int64_t heads : {HEADS, KV_HEADS, KV_HEADS})
            one.matrices.emplace_back(type_, heads * HEAD_DIM, DIM, seed += 5);
        one.matrices.emplace_back(type_, DIM, HEADS * HEAD_DIM, seed + 8);
        one.experts.emplace_back(type_, DIM, 44, seed + 11);
        bise::Layer& layer = layers_.back();
        layer.q = one.matrices[0].matrix, layer.k = one.matrices[1].matrix;
        layer.v = one.matrices[2].matrix, layer.out = one.matrices[3].matrix;
        layer.dense = one.experts[0].gated;
    }

    static void add(Numbers& to, const Numbers& what) {
        for (size_t i = 0; i < to.size(); ++i) to[i] += what[i];
    }

    // Rows of `dim` numbers, one after another.
    static Numbers norm(Numbers x, size_t dim, const Numbers& weight) {
        for (size_t row = 0; row < x.size(); row += dim) {
            double square = 0;
            for (size_t i = 0; i < dim; ++i) square += double(x[row + i]) * x[row + i];
            const double inverse = 1 / std::sqrt(square / double(dim) + double(NORM_EPS));
            for (size_t i = 0; i < dim; ++i) x[row + i] = float(x[row + i] * inverse * weight[i]);
        }
        return x;
    }

    void turn(float* head, int64_t pairs, int64_t position) const {
        for (int64_t i = 0; i < pairs; ++i) {
            const float angle = float(position) * frequencies_[i];
            const float even = head[2 * i], odd = head[2 * i + 1];
            head[2 * i] = even * std::cos(angle) - odd * std::sin(angle);
            head[2 * i + 1] = odd * std::cos(angle) + even * std::sin(angle);
        }
    }

    void grow(Numbers& x, int64_t width) const {
        for (size_t i = 0; i < x.size(); ++i)
            x[i] *= 1 + 0.1f * std::log1p(std::floor(float(i / width) / network.growth_step));
    }

    Numbers look_latent(const Parts& one, const Numbers& normed) const {
        Numbers narrow = norm(one.matrices[0].times(normed), Q_LATENT, one.norms[2]);
        grow(narrow, Q_LATENT);
        Numbers query = one.matrices[2].times(narrow), entries = one.matrices[1].times(normed), out;
        const int64_t tokens = int64_t(normed.size()) / DIM, width = LATENT_WIDTH;
        for (int64_t token = 0; token < tokens; ++token) {
            const auto row = entries.begin() + token * width;
            const Numbers latent = norm({row, row + LATENT.latent}, LATENT.latent, one.norms[3]);
            std::copy(latent.begin(), latent.end(), row);
            turn(&row[LATENT.latent], PAIRS, token);
            for (int64_t head = 0; head < HEADS; ++head) {
                float* asked = &query[(token * HEADS + head) * QUERY];
                turn(asked + LATENT.nope, PAIRS, token);
                Numbers keys, values;
                for (int64_t key = 0; key <= token; ++key)
                    make_key_and_value(one.up_values, head, &entries[key * width], keys, values);
                const Numbers seen = look(asked, keys, values, token + 1, SCALE);
                out.insert(out.end(), seen.begin(), seen.end());
            }
        }
        return out;
    }

    Numbers look_grouped(const Parts& one, const Numbers& normed) const {
        Numbers query = one.matrices[0].times(normed), key = one.matrices[1].times(normed), out;
        const Numbers value = one.matrices[2].times(normed);
        const int64_t tokens = int64_t(normed.size()) / DIM;
        for (int64_t row = 0; row < tokens * KV_HEADS; ++row)
            turn(&key[row * HEAD_DIM], GROUPED_PAIRS, row / KV_HEADS);
        for (int64_t row = 0; row < tokens * HEADS; ++row)
            turn(&query[row * HEAD_DIM], GROUPED_PAIRS, row / HEADS);
        grow(query, HEADS * HEAD_DIM);
        for (int64_t row = 0; row < tokens * HEADS; ++row) {
            const int64_t seat = row % HEADS / (HEADS / KV_HEADS), token = row / HEADS;
            Numbers keys, values;
            for (int64_t at = seat; at <= token * KV_HEADS + seat; at += KV_HEADS) {
                keys.insert(keys.end(), &key[at * HEAD_DIM], &key[at * HEAD_DIM] + HEAD_DIM);
                values.insert(values.end(), &value[at * HEAD_DIM],
                              &value[at * HEAD_DIM] + HEAD_DIM);
            }
            const Numbers seen = look(&query[row * HEAD_DIM], keys, values, token + 1, SCALE);
            out.insert(out.end(), seen.begin(), seen.end());
        }
        return out;
    }

    static Numbers mix(const Parts& one, const Numbers& x) {
        Numbers out;
        for (auto row = x.begin(); row != x.end(); row += DIM) {
            const Numbers token(row, row + DIM);
            std::vector<std::pair<float, int64_t>> logits;
            for (int64_t expert = 0; expert < EXPERTS; ++expert)
                logits.push_back({-std::inner_product(row, row + DIM,
                                                      &one.router[expert * DIM], 0.0f),
                                  expert});
            std::sort(logits.begin(), logits.end());
            Numbers sum = one.experts[EXPERTS](token);
            float total = 0;
            for (int64_t k = 0; k < TOPK; ++k)
                total += std::exp(logits[0].first - logits[k].first);
            for (int64_t k = 0; k < TOPK; ++k) {
                Numbers said = one.experts[logits[k].second](token);
                for (float& number : said)
                    number *= std::exp(logits[0].first - logits[k].first) / total;
                add(sum, said);
            }
            out.insert(out.end(), sum.begin(), sum.end());
        }
        return out;
    }

    bise::WeightType type_;
    Kept head_;
    std::vector<uint16_t> embedding_;
    Numbers norm_, frequencies_;
    std::deque<Parts> parts_;
    std::vector<bise::Layer> layers_;
};
