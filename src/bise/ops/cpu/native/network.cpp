#include "network.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "carver.h"
#include "over_rows.h"
#include "rows.h"
#include "turns.h"

namespace bise {

namespace {

// Products of so many numbers are worth a thread: two tokens of a network 256 wide.
constexpr int64_t WORTH_A_THREAD = 1 << 17;

constexpr int64_t FEW_ROWS = 16;  // more choose so many experts that guessing adds nothing

// Everything a pass computes on its way, a row a token.
struct Room {
    int64_t query_width, entry_width, seen_width;
    float *stream, *normed, *made;
    float *query, *entries, *seen, *narrow;
    float *cos, *sin, *growth;
    int32_t* choice;
    float* weights;

    Room(const Network& net, int64_t tokens, Carver& carver) {
        const auto& latent = net.latent;
        const auto& grouped = net.grouped;
        query_width = net.is_latent ? net.heads * (latent.nope + latent.rope)
                                    : net.heads * grouped.head_dim;
        entry_width = net.is_latent ? latent.latent + latent.rope
                                    : 2 * grouped.kv_heads * grouped.head_dim;
        seen_width = net.is_latent ? net.heads * latent.value : net.heads * grouped.head_dim;
        stream = carver.take<float>(tokens * net.dim);
        normed = carver.take<float>(tokens * net.dim);
        made = carver.take<float>(tokens * net.dim);
        query = carver.take<float>(tokens * query_width);
        entries = carver.take<float>(tokens * entry_width);
        seen = carver.take<float>(tokens * seen_width);
        narrow = carver.take<float>(tokens * net.q_latent);
        cos = carver.take<float>(tokens * net.rope / 2);
        sin = carver.take<float>(tokens * net.rope / 2);
        growth = carver.take<float>(tokens);
        choice = carver.take<int32_t>(tokens * std::max<int64_t>(net.topk, 1));
        weights = carver.take<float>(tokens * std::max<int64_t>(net.topk, 1));
    }
};

// The angle of every pair at every position, and how much queries grow there.
void turn(const Network& net, const Pass& pass, Room& room) {
    const int64_t pairs = net.rope / 2;
    int64_t row = 0;
    for (int64_t s = 0; s < pass.num_spans; ++s)
        for (int64_t i = 0; i < pass.spans[s].count; ++i)
            room.growth[row++] = float(pass.spans[s].start + i);  // the position, for now
    over_rows(pass.num_tokens, 16 * pairs, [&](int64_t first, int64_t last) {
        for (int64_t r = first; r < last; ++r) {
            const float position = room.growth[r];
            for (int64_t pair = 0; pair < pairs; ++pair) {
                const float angle = position * net.frequencies[pair];
                room.cos[r * pairs + pair] = std::cos(angle);
                room.sin[r * pairs + pair] = std::sin(angle);
            }
            if (net.query_growth != 0)
                room.growth[r] =
                    1 + net.query_growth * std::log1p(std::floor(position / net.growth_step));
        }
    });
}

void grow(const Network& net, float* x, int64_t rows, int64_t width, const float* growth) {
    if (net.query_growth == 0) return;
    over_rows(rows, width, [&](int64_t first, int64_t last) {
        for (int64_t r = first; r < last; ++r)
            for (int64_t i = 0; i < width; ++i) x[r * width + i] *= growth[r];
    });
}

void look_back_latent(const Network& net, const Layer& layer, const Pass& pass, const Cache& cache,
                      Room& room) {
    const int64_t tokens = pass.num_tokens;
    const LatentShape& shape = net.latent;
    const int64_t head_width = shape.nope + shape.rope;
    const Product down[] = {{&layer.q_down, room.narrow, net.q_latent},
                            {&layer.kv_down, room.entries, room.entry_width}};
    products({room.normed, tokens, net.dim, net.dim}, down, 2);
    rms_norm(room.narrow, net.q_latent, tokens, net.q_latent, layer.q_norm, net.norm_eps,
             room.narrow, net.q_latent);
    grow(net, room.narrow, tokens, net.q_latent, room.growth);
    const Product up = {&layer.q_up, room.query, room.query_width};
    products({room.narrow, tokens, net.q_latent, net.q_latent}, &up, 1);
    rotate(room.query + shape.nope, room.query_width, tokens, net.heads, head_width, shape.rope,
           room.cos, room.sin);
    rms_norm(room.entries, room.entry_width, tokens, shape.latent, layer.kv_norm, net.norm_eps,
             room.entries, room.entry_width);
    rotate(room.entries + shape.latent, room.entry_width, tokens, 1, shape.rope, shape.rope,
           room.cos, room.sin);
    write_cache(cache, pass.spans, pass.num_spans, room.entries, shape.latent);
    latent_attention(shape, layer.up, cache, pass.spans, pass.num_spans, room.query, room.seen);
}

void look_back_grouped(const Network& net, const Layer& layer, const Pass& pass,
                       const Cache& cache, Room& room) {
    const int64_t tokens = pass.num_tokens;
    const GroupedShape& shape = net.grouped;
    const int64_t keys = shape.kv_heads * shape.head_dim;
    const Product all[] = {{&layer.q, room.query, room.query_width},
                           {&layer.k, room.entries, room.entry_width},
                           {&layer.v, room.entries + keys, room.entry_width}};
    products({room.normed, tokens, net.dim, net.dim}, all, 3);
    rotate(room.query, room.query_width, tokens, net.heads, shape.head_dim, shape.head_dim,
           room.cos, room.sin);
    grow(net, room.query, tokens, room.query_width, room.growth);
    rotate(room.entries, room.entry_width, tokens, shape.kv_heads, shape.head_dim, shape.head_dim,
           room.cos, room.sin);
    write_cache(cache, pass.spans, pass.num_spans, room.entries, keys);
    grouped_attention(shape, cache, pass.spans, pass.num_spans, room.query, room.seen);
}

// stream += attention(norm(stream))
void look_back(const Network& net, const Layer& layer, const Pass& pass, const Cache& cache,
               Room& room) {
    const int64_t tokens = pass.num_tokens;
    rms_norm(room.stream, net.dim, tokens, net.dim, layer.attention_norm, net.norm_eps, room.normed,
             net.dim);
    if (net.is_latent)
        look_back_latent(net, layer, pass, cache, room);
    else
        look_back_grouped(net, layer, pass, cache, room);
    const Product out = {&layer.out, room.stream, net.dim, true};
    products({room.seen, tokens, room.seen_width, room.seen_width}, &out, 1);
}

// Let the experts of these rows be read from their file, and those that the next layer would choose
// if it saw what this one sees: mostly the ones it will.
void call_experts(const Network& net, int64_t number, int64_t rows, Room& room) {
    Residency& there = *net.residency;
    std::vector<int32_t> chosen(room.choice, room.choice + rows * net.topk);
    std::sort(chosen.begin(), chosen.end());
    chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
    there.need(number, chosen.data(), int64_t(chosen.size()));
    if (rows > FEW_ROWS || number + 1 == net.num_layers) return;
    const Layer& next = net.layers[number + 1];
    std::vector<int32_t> guessed(rows * net.topk);
    std::vector<float> weights(rows * net.topk);
    route(room.normed, net.dim, rows, net.dim, next.router, next.mixture.num_experts, net.topk,
          guessed.data(), weights.data());
    there.expect(number + 1, guessed.data(), int64_t(guessed.size()));
}

// stream += experts(norm(stream)), for the first `rows` of the stream
void think(const Network& net, int64_t number, int64_t rows, Room& room) {
    const Layer& layer = net.layers[number];
    rms_norm(room.stream, net.dim, rows, net.dim, layer.mlp_norm, net.norm_eps, room.normed,
             net.dim);
    const Inputs x = {room.normed, rows, net.dim, net.dim};
    if (layer.router) {
        route(room.normed, net.dim, rows, net.dim, layer.router, layer.mixture.num_experts,
              net.topk, room.choice, room.weights);
        if (net.residency) call_experts(net, number, rows, room);
        mixture(x, layer.mixture, room.choice, room.weights, net.topk, room.made, net.dim);
    } else {
        feed_forward(x, layer.dense, room.made, net.dim);
    }
    add_rows(room.stream, room.made, rows, net.dim);
}

void keep_routing(const Network& net, const Pass& pass, int64_t layer, const Room& room) {
    for (int64_t row = 0; row < pass.num_tokens; ++row)
        std::memcpy(pass.routing + (row * net.num_layers + layer) * net.topk,
                    room.choice + row * net.topk, net.topk * sizeof(int32_t));
}

// Only these rows go on: they move to the front. `rows` ascend.
void keep_rows(float* x, const int64_t* rows, int64_t count, int64_t width) {
    for (int64_t i = 0; i < count; ++i)
        if (rows[i] != i) std::memcpy(x + i * width, x + rows[i] * width, width * sizeof(float));
}

// Exactness while it lives; afterwards what the thread had wanted for itself.
class Exactly {
   public:
    explicit Exactly(bool wanted)
        : products_(use_exact(wanted)), attention_(use_exact_attention(wanted)) {}
    ~Exactly() { use_exact(products_), use_exact_attention(attention_); }

   private:
    bool products_, attention_;
};

void put_pictures(const Network& net, const Pass& pass, float* stream) {
    for (int64_t i = 0; i < pass.num_vectors; ++i)
        std::memcpy(stream + pass.vector_rows[i] * net.dim, pass.vectors + i * net.dim,
                    net.dim * sizeof(float));
}

}  // namespace

int64_t pass_bytes(const Network& network, int64_t num_tokens) {
    Carver counting(nullptr);
    Room(network, num_tokens, counting);
    return counting.used();
}

void run_pass(const Network& net, const Pass& pass, uint8_t* memory) {
    const Turn mine;  // threads that pass through the same network share its memory
    const Exactly for_this_pass(pass.is_exact);
    const AtMost workers(pass.num_tokens * net.dim * net.dim / WORTH_A_THREAD);
    Carver carver(memory);
    Room room(net, pass.num_tokens, carver);
    embed(net.embedding, true, net.dim, pass.ids, pass.num_tokens, room.stream);
    put_pictures(net, pass, room.stream);
    turn(net, pass, room);

    // What the last layer's experts make of a row is of use only where its logits are wanted.
    const bool all_rows = pass.hidden || pass.routing || pass.num_wanted == pass.num_tokens;
    int64_t rows = pass.num_tokens;
    for (int64_t l = 0; l < net.num_layers; ++l) {
        look_back(net, net.layers[l], pass, pass.caches[l], room);
        if (l == net.num_layers - 1 && !all_rows) {
            rows = pass.num_wanted;
            keep_rows(room.stream, pass.wanted, rows, net.dim);
            if (rows == 0) return;
        }
        think(net, l, rows, room);
        if (pass.routing && net.topk) keep_routing(net, pass, l, room);
    }
    rms_norm(room.stream, net.dim, rows, net.dim, net.norm, net.norm_eps, room.stream, net.dim);
    if (pass.hidden)
        std::memcpy(pass.hidden, room.stream, rows * net.dim * sizeof(float));
    if (all_rows) keep_rows(room.stream, pass.wanted, pass.num_wanted, net.dim);
    const Product head = {&net.head, pass.logits, net.vocab};
    products({room.stream, pass.num_wanted, net.dim, net.dim}, &head, 1);
}

}  // namespace bise
