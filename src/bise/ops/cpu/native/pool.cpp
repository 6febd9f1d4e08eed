// Every worker has a share of the indices, neighbours in memory mostly, and takes them in order. Who
// has done his takes from the end of another's, so nobody waits for a thread that has not come yet:
// beside a busy neighbour the threads that run do the work. All waiting spins for a short time, then
// sleeps.
#include "pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "guard.h"
#include "pool_limits.h"
#include "pool_sleep.h"

namespace bise {

namespace {

constexpr auto SPIN = std::chrono::microseconds(50);  // about what falling asleep and waking costs
constexpr int SLOTS = 12, CALLER_SLOTS = 4;
constexpr int64_t MOST_PIECES = 0xffff;  // of a share
constexpr int64_t HUGE_PAGE = 2 << 20;

inline void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

// Wait for a claim to come true; false if it has not within the time that spinning is worth.
template <class Claim>
bool spin_until(Claim claim) {
    using Clock = std::chrono::steady_clock;
    for (int i = 0; i < 8; ++i, relax())
        if (claim()) return true;
    for (const auto end = Clock::now() + SPIN; Clock::now() < end;)
        for (int i = 0; i < 16; ++i, relax())
            if (claim()) return true;
    return claim();
}

struct Memory {
    void* start = nullptr;
    int64_t bytes = 0;

    void* at_least(int64_t wanted) {
        open_all(start, bytes);
        if (wanted > bytes) renew(wanted);
        close_gap(static_cast<char*>(start) + wanted, bytes - wanted);
        return start;
    }

   private:
    void renew(int64_t wanted) {
        std::free(start);
        bytes = 0;  // also if there is none to be had
        const int64_t unit = wanted >= HUGE_PAGE / 8 ? HUGE_PAGE : 4096;
        const int64_t more = (wanted + wanted / 4 + unit - 1) / unit * unit;  // requests grow
        start = std::aligned_alloc(unit, more);
        if (!start) throw std::bad_alloc();
        bytes = more;
#if defined(__linux__)
        if (unit == HUGE_PAGE) madvise(start, bytes, MADV_HUGEPAGE);
#endif
    }
};

// What one thread alone touches.
struct alignas(64) Desk {
    Memory slots[SLOTS];
};

// A worker's share of a job, in pieces of some indices. Its ticket is the number of the job above,
// then the first piece that nobody has taken, then the end of them: its worker takes from the front,
// others from the end. Whoever changes it by compare-and-swap holds a piece of the very job whose
// fields it has read.
struct alignas(64) Share {
    static constexpr uint64_t FRONT = 1 << 16;

    std::atomic<uint64_t> ticket{0};
};

// A job's indices as pieces, and the pieces of each worker.
struct Layout {
    int64_t count, piece, pieces;
    int workers;

    Layout(int64_t count, int workers)
        : count(count),
          piece((count + MOST_PIECES * workers - 1) / (MOST_PIECES * workers)),
          pieces((count + piece - 1) / piece),
          workers(workers) {}

    int64_t first_piece(int worker) const { return worker * pieces / workers; }
    int64_t num_pieces(int worker) const { return first_piece(worker + 1) - first_piece(worker); }
};

class Pool {
   public:
    explicit Pool(int count)
        : desks_(allowed_processors()), shares_(new Share[desks_.size()]) {
        start(count);
    }

    int num_workers() const { return num_workers_.load(std::memory_order_relaxed); }

    void resize(int count) {
        std::lock_guard<std::mutex> turn(turn_);
        if (limited(count) == num_workers()) return;
        stop();
        start(count);
    }

    void run(int64_t count, Task task, void* context, int most) {
        std::lock_guard<std::mutex> turn(turn_);
        const int workers = std::min(most, num_workers());
        if (count <= 1 || workers == 1) {
            workers_.store(1, std::memory_order_relaxed);
            for (int64_t index = 0; index < count; ++index) task(context, index, 0);
            return;
        }
        publish(count, task, context, workers);
        work(0);
        wait_for_others();
        if (lacked_memory_.load(std::memory_order_relaxed)) {
            lacked_memory_.store(false, std::memory_order_relaxed);
            throw std::bad_alloc();
        }
    }

    // Of the job at hand.
    Layout layout(int64_t count) const {
        return Layout(count, workers_.load(std::memory_order_relaxed));
    }

    void* scratch(int worker, int slot, int64_t bytes) {
        return desks_[worker].slots[slot].at_least(bytes);
    }

   private:
    int limited(int count) const {
        const int most = static_cast<int>(desks_.size());
        return count <= 0 ? most : std::min(count, most);
    }

    void start(int count) {
        const int wanted = limited(count);
        is_stopping_ = false;
        try {
            while (static_cast<int>(threads_.size()) + 1 < wanted) {
                const int worker = static_cast<int>(threads_.size()) + 1;
                threads_.emplace_back([this, worker] { serve(worker); });
            }
        } catch (const std::system_error&) {  // no more threads to be had: fewer do the work
        }
        num_workers_ = static_cast<int>(threads_.size()) + 1;
    }

    void stop() {
        is_stopping_ = true;
        ++signal_;
        wake_sleepers(signal_, static_cast<int>(threads_.size()));
        for (auto& thread : threads_) thread.join();
        threads_.clear();
    }

    void publish(int64_t count, Task task, void* context, int workers) {
        const Layout layout(count, workers);
        task_.store(task, std::memory_order_relaxed);
        context_.store(context, std::memory_order_relaxed);
        count_.store(count, std::memory_order_relaxed);
        workers_.store(workers, std::memory_order_relaxed);
        unfinished_.store(static_cast<uint32_t>(layout.pieces), std::memory_order_relaxed);
        ++job_;
        for (int worker = 0; worker < workers; ++worker)
            shares_[worker].ticket.store(uint64_t(job_) << 32 | uint64_t(layout.num_pieces(worker)),
                                         std::memory_order_release);
        ++signal_;
        if (const int asleep = sleepers_.load())
            wake_sleepers(signal_, std::min<int64_t>({asleep, count - 1, workers - 1}));
    }

    // Do pieces until none is left: the worker's own, then what others have not come to. Who has
    // no share, because there are few, helps all the same: nobody chooses whom a call wakes. Whoever
    // sees an older job's number of workers helps too little, never wrongly.
    void work(int worker) {
        uint32_t done = 0;
        const int workers = workers_.load(std::memory_order_relaxed);
        for (int i = 0; i < workers; ++i)
            done += take_from((worker + i) % workers, worker);
        if (done > 0 && unfinished_.fetch_sub(done) == done && is_caller_asleep_.load())
            wake_sleepers(unfinished_, 1);
    }

    // How many pieces of a share a worker has done.
    uint32_t take_from(int owner, int worker) {
        Share& share = shares_[owner];
        uint32_t done = 0;
        uint64_t ticket = share.ticket.load(std::memory_order_acquire);
        for (;;) {
            const int64_t front = ticket / Share::FRONT % Share::FRONT, end = ticket % Share::FRONT;
            if (front == end) return done;
            const Task task = task_.load(std::memory_order_relaxed);
            void* context = context_.load(std::memory_order_relaxed);
            const Layout layout = this->layout(count_.load(std::memory_order_relaxed));
            const uint64_t rest = owner == worker ? ticket + Share::FRONT : ticket - 1;
            if (!share.ticket.compare_exchange_weak(ticket, rest, std::memory_order_acq_rel,
                                                    std::memory_order_acquire))
                continue;
            const int64_t piece = layout.first_piece(owner) + (owner == worker ? front : end - 1);
            const int64_t first = piece * layout.piece;
            try {
                for (int64_t i = first; i < std::min(first + layout.piece, layout.count); ++i)
                    task(context, i, worker);
            } catch (const std::bad_alloc&) {  // for the caller, who may not leave before the others
                lacked_memory_.store(true, std::memory_order_relaxed);
            }
            ++done;
            ticket = share.ticket.load(std::memory_order_acquire);
        }
    }

    void wait_for_others() {
        const auto is_done = [this] { return unfinished_.load(std::memory_order_acquire) == 0; };
        if (spin_until(is_done)) return;
        is_caller_asleep_ = true;
        while (const uint32_t unfinished = unfinished_.load()) sleep_while(unfinished_, unfinished);
        is_caller_asleep_ = false;
    }

    void serve(int worker) {
        for (;;) {
            const uint32_t seen = signal_.load();  // first: what comes later changes it
            if (is_stopping_.load()) return;
            work(worker);
            if (spin_until([&] { return signal_.load(std::memory_order_acquire) != seen; }))
                continue;
            ++sleepers_;
            if (signal_.load() == seen) sleep_while(signal_, seen);
            --sleepers_;
        }
    }

    alignas(64) std::atomic<Task> task_{nullptr};
    std::atomic<void*> context_{nullptr};
    std::atomic<int64_t> count_{0};
    std::atomic<int> workers_{1};
    std::atomic<bool> lacked_memory_{false};
    uint32_t job_ = 0;  // of whoever has the turn
    std::atomic<int> num_workers_{1};
    alignas(64) std::atomic<uint32_t> unfinished_{0};
    std::atomic<bool> is_caller_asleep_{false};
    alignas(64) std::atomic<uint32_t> signal_{0};
    std::atomic<int> sleepers_{0};
    std::atomic<bool> is_stopping_{false};
    alignas(64) std::mutex turn_;
    std::vector<std::thread> threads_;
    std::vector<Desk> desks_;
    std::unique_ptr<Share[]> shares_;
};

thread_local int most_workers = std::numeric_limits<int>::max();

std::atomic<Pool*> the_pool{nullptr};
std::atomic<int> wanted_workers{0};
std::mutex& making() {
    static std::mutex* mutex = new std::mutex;
    return *mutex;
}

// Never destroyed: sleeping threads then need no goodbye when the process ends.
Pool& pool() {
    if (Pool* made = the_pool.load(std::memory_order_acquire)) return *made;
    std::lock_guard<std::mutex> alone(making());
    if (!the_pool.load()) {
        static const bool watched = (forget_pool_in_children([] { the_pool = nullptr; }), true);
        (void)watched;
        the_pool = new Pool(wanted_workers);
    }
    return *the_pool.load();
}

}  // namespace

int num_workers() { return std::min(most_workers, pool().num_workers()); }

void set_workers(int count) {
    wanted_workers = count;
    pool().resize(count);
}

void run_tasks(int64_t count, Task task, void* context) {
    pool().run(count, task, context, most_workers);
}

AtMost::AtMost(int64_t workers) : before_(most_workers) {
    most_workers = static_cast<int>(std::clamp<int64_t>(workers, 1, before_));
}
AtMost::~AtMost() { most_workers = before_; }

Range share_of(int64_t count, int worker) {
    const Layout layout = pool().layout(count);
    const auto first = [&](int of) { return layout.first_piece(of) * layout.piece; };
    return {first(worker), std::min(count, first(worker + 1))};
}

void* scratch(int worker, int slot, int64_t bytes) { return pool().scratch(worker, slot, bytes); }

void* caller_memory(int slot, int64_t bytes) {
    struct Slots {
        Memory memory[CALLER_SLOTS];

        ~Slots() {
            for (Memory& one : memory) std::free(one.start);
        }
    };
    thread_local Slots mine;
    return mine.memory[slot].at_least(bytes);
}

}  // namespace bise
