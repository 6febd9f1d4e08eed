// The mixture of experts in two phases: all gates and ups, then all downs with their sums.
//
// A job is a feed-forward and the rows that it gets. Every row is summed in the order of jobs, the
// shared feed-forward first and then the experts by number, whatever else is in the pass.
#include "matrix.h"
#include "matrix_prepared.h"

namespace bise {

namespace {

constexpr int64_t PAIRS_A_GATHERING = 8;  // that a copy of the rows should be good for, at least

struct Job {
    const Gated* layer;
    int64_t count;
    const int32_t* members;  // the rows it gets; null: all
    const float* weights;    // what each of them counts
    Rows x;                  // by pointers, also where `wants_tiles`
    bool wants_tiles;
    Rows hidden;  // what goes into `down`
};

// A part of one job's `gate_up`, in whole pairs of panels: 32 hidden numbers, a group of `down`.
struct Run {
    const Job* job;
    Part part;
};

int64_t width_of(const Gated& layer) { return layer.gate_up->outputs / 2; }

Job job_for(const Gated& layer, const int32_t* members, const float* weights, int64_t count,
            Prepared& prepared, Arena& arena) {
    Job job = {&layer, count, members, weights, {}, false, {}};
    const RowForm form = wanted_form(*layer.gate_up, count);
    job.wants_tiles = members && form == TILES;
    const Rows& all = prepared.in(job.wants_tiles ? BF16_ROWS : form);
    job.x = all;
    if (members) {
        job.x.count = count;
        job.x.rows = arena.take<const void*>(count);
        for (int64_t i = 0; i < count; ++i) job.x.rows[i] = all.rows[members[i]];
    }
    job.hidden = room_for(wanted_form(*layer.down, count), count, width_of(layer), arena);
    return job;
}

// Experts in order, each with its rows in order.
int64_t sort_by_expert(const Mixture& layer, const int32_t* choice, const float* weights,
                       int64_t topk, int64_t rows, Prepared& prepared, Arena& arena, Job* jobs) {
    const int64_t slots = rows * topk;
    auto* ends = arena.take<int64_t>(layer.num_experts + 1);
    std::fill_n(ends, layer.num_experts + 1, int64_t(0));
    for (int64_t slot = 0; slot < slots; ++slot) ++ends[choice[slot] + 1];
    for (int64_t expert = 0; expert < layer.num_experts; ++expert) ends[expert + 1] += ends[expert];
    auto* members = arena.take<int32_t>(slots);
    auto* counts_for = arena.take<float>(slots);
    for (int64_t slot = 0; slot < slots; ++slot) {
        const int64_t at = ends[choice[slot]]++;
        members[at] = int32_t(slot / topk);
        counts_for[at] = weights[slot];
    }
    int64_t num_jobs = 0;
    for (int64_t expert = 0, start = 0; expert < layer.num_experts; start = ends[expert++])
        if (const int64_t count = ends[expert] - start)
            jobs[num_jobs++] = job_for(layer.experts[expert], members + start, counts_for + start,
                                       count, prepared, arena);
    return num_jobs;
}

// Rows of a job in the form that its kernel wants: tiles of chosen rows are put together here.
Rows gathered(const Job& job, int worker) {
    if (!job.wants_tiles) return job.x;
    const int64_t groups = num_groups(job.x.inputs);
    const int64_t full = divide_up(job.count, TILE_ROWS) * TILE_ROWS;
    constexpr int64_t LINE = GROUP * sizeof(uint16_t), STEP = TILE_ROWS * LINE;
    auto* tiles = static_cast<uint8_t*>(scratch(worker, 3, full * groups * LINE));
    for (int64_t i = 0; i < full; ++i) {
        uint8_t* to = tiles + i / TILE_ROWS * groups * STEP + i % TILE_ROWS * LINE;
        const auto* from = i < job.count ? static_cast<const uint8_t*>(job.x.rows[i]) : nullptr;
        for (int64_t g = 0; g < groups; ++g, to += STEP)
            if (from)
                std::memcpy(to, from + g * LINE, LINE);
            else
                std::memset(to, 0, LINE);
    }
    return {TILES, job.count, job.x.inputs, nullptr, tiles};
}

void run_gate_up(const Run& run, const uint8_t* next, int worker) {
    const Job& job = *run.job;
    const Rows x = gathered(job, worker);
    const int64_t width = width_of(*job.layer), panels = num_panels(job.layer->gate_up->outputs);
    const int64_t chunk = std::min(chunk_of(x), job.count);
    auto* pairs = static_cast<float*>(scratch(worker, 2, chunk * GROUP * int64_t(sizeof(float))));
    Multiplier(*job.layer->gate_up, x, worker)
        .run(run.part, [&](int64_t panel, int64_t row, int64_t count, float* block) {
            kernels().gate(block, count, pairs + panel % 2 * TILE, GROUP);
            if (panel % 2 == 0 && panel + 1 < panels) return;
            const int64_t first = panel / 2 * GROUP;
            const int64_t some = std::min<int64_t>(GROUP, width - first);
            for (int64_t i = 0; i < count; ++i)
                write_row(job.hidden, row + i, first, pairs + i * GROUP, some);
        }, next);
}

int64_t num_pairs(const Job& job) {
    return divide_up(num_panels(job.layer->gate_up->outputs), 2);
}

int64_t plan_gate_up(const Job* jobs, int64_t num_jobs, Arena& arena, Run*& runs) {
    int64_t most_runs = 0, cost = 0, num_runs = 0;
    for (int64_t i = 0; i < num_jobs; ++i) {
        most_runs += num_pairs(jobs[i]) * divide_up(jobs[i].count, TILE_ROWS);
        cost += cost_of(*jobs[i].layer->gate_up, jobs[i].count, 2 * num_pairs(jobs[i]));
    }
    runs = arena.take<Run>(most_runs);
    for (int64_t i = 0; i < num_jobs; ++i) {
        const Job& job = jobs[i];
        const Matrix& matrix = *job.layer->gate_up;
        const int64_t rows = job.wants_tiles ? job.count : std::min(job.count, chunk_of(job.x));
        int64_t pairs = divide_up(panels_a_task(matrix, rows, cost), 2);
        if (job.wants_tiles) pairs = std::max(pairs, PAIRS_A_GATHERING);
        const int64_t panels = num_panels(matrix.outputs), step = 2 * pairs;
        for (int64_t row = 0; row < job.count; row += rows)
            for (int64_t panel = 0; panel < panels; panel += step)
                runs[num_runs++] = {&job, {panel, std::min(panels, panel + step), row,
                                           std::min(job.count, row + rows)}};
    }
    return num_runs;
}

struct Output {
    float* values;
    int64_t rows, outputs, stride;
};

// All jobs' parts of some panels of the output, one job after the other.
void run_down(const Job* jobs, int64_t num_jobs, const Output& out, int64_t first, int64_t end,
              int worker) {
    const int64_t columns = std::min(out.outputs, end * PANEL) - first * PANEL;
    if (jobs[0].members)
        for (int64_t row = 0; row < out.rows; ++row)
            std::fill_n(out.values + row * out.stride + first * PANEL, columns, 0.0f);
    for (int64_t i = 0; i < num_jobs; ++i) {
        const Job& job = jobs[i];
        const auto add = [&](int64_t panel, int64_t row, int64_t count, float* block) {
            const int64_t some = std::min<int64_t>(PANEL, out.outputs - panel * PANEL);
            const auto place = [&](int64_t to) {
                return out.values + to * out.stride + panel * PANEL;
            };
            if (!job.members) {  // the first job, of weight 1
                for (int64_t j = 0; j < count; ++j)
                    copy_columns(block + j * PANEL, some, place(row + j));
                return;
            }
            float* places[MOST_CHUNK];
            for (int64_t j = 0; j < count; ++j) places[j] = place(job.members[row + j]);
            kernels().add(block, count, some, job.weights + row, places);
        };
        const bool is_last = i + 1 == num_jobs;
        const Matrix& next = *jobs[is_last ? 0 : i + 1].layer->down;
        const uint8_t* after =
            next.packed + (is_last ? end : first) * panel_bytes(next.type, next.inputs);
        Multiplier(*job.layer->down, job.hidden, worker)
            .run({first, end, 0, job.count}, add, after);
    }
}

// Many rows are read once for all panels of a task; with few, tasks should be small.
int64_t panels_of_down(int64_t rows, int64_t panels) {
    constexpr int64_t MANY_ROWS = 64, BIG_TASKS = 1, SMALL_TASKS = 24;  // for each worker
    const int64_t tasks = (rows >= MANY_ROWS ? BIG_TASKS : SMALL_TASKS) * num_workers();
    return std::max<int64_t>(rows >= MANY_ROWS ? 1 : 2, panels / tasks);
}

}  // namespace

void mixture(const Inputs& x, const Mixture& layer, const int32_t* choice, const float* weights,
             int64_t topk, float* out, int64_t out_stride) {
    if (x.rows == 0) return;
    Arena& arena = call_arena();
    arena.clear();
    Prepared prepared(x, arena);
    Job* jobs = arena.take<Job>(std::min(layer.num_experts, x.rows * topk) + 1);
    int64_t num_jobs = 0;
    if (layer.shared) {
        jobs[num_jobs++] = job_for(*layer.shared, nullptr, nullptr, x.rows, prepared, arena);
    }
    num_jobs += sort_by_expert(layer, choice, weights, topk, x.rows, prepared, arena,
                               jobs + num_jobs);
    if (num_jobs == 0) return;
    Run* runs;
    const int64_t num_runs = plan_gate_up(jobs, num_jobs, arena, runs);
    const Matrix& down = *jobs[0].layer->down;
    const int64_t panels = num_panels(down.outputs);
    const int64_t step = panels_of_down(x.rows * (topk + 1), panels);
    const int64_t num_downs = divide_up(panels, step);
    parallel(num_runs, [&](int64_t i, int worker) {
        const Run* more = i + 1 < share_of(num_runs, worker).end ? &runs[i + 1] : nullptr;
        const uint8_t* next =
            more ? start_of(*more->job->layer->gate_up, more->part)
                 : start_of(down, {share_of(num_downs, worker).first * step, 0, 0, 0});
        run_gate_up(runs[i], next, worker);
    });

    const Output output = {out, x.rows, down.outputs, out_stride};
    parallel(num_downs, [&](int64_t i, int worker) {
        run_down(jobs, num_jobs, output, i * step, std::min(panels, (i + 1) * step), worker);
    });
}

void feed_forward(const Inputs& x, const Gated& layer, float* out, int64_t out_stride) {
    mixture(x, {nullptr, 0, &layer}, nullptr, nullptr, 0, out, out_stride);
}

}  // namespace bise
