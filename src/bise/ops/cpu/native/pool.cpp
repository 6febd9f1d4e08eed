// Workers claim indices from one counter, so nobody waits for a thread that has not come yet:
// beside a busy neighbour the threads that run do the work. All waiting spins for a short time,
// then sleeps.
#include "pool.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <chrono>
#include <cstdlib>
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
constexpr int CHUNKS = 4;  // of what is left, a worker claims 1 / (CHUNKS * workers) at a time
constexpr int SLOTS = 12, CALLER_SLOTS = 4;
constexpr int64_t MOST_INDICES = 1 << 30;
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
        const int64_t unit = wanted >= HUGE_PAGE / 8 ? HUGE_PAGE : 4096;
        bytes = (wanted + wanted / 4 + unit - 1) / unit * unit;  // a little more: requests grow
        start = std::aligned_alloc(unit, bytes);
        if (!start) throw std::bad_alloc();
#if defined(__linux__)
        if (unit == HUGE_PAGE) madvise(start, bytes, MADV_HUGEPAGE);
#endif
    }
};

// What one thread alone touches.
struct alignas(64) Desk {
    Memory slots[SLOTS];
};

class Pool {
   public:
    explicit Pool(int count) : desks_(allowed_processors()) { start(count); }

    int num_workers() const { return num_workers_.load(std::memory_order_relaxed); }

    void resize(int count) {
        std::lock_guard<std::mutex> turn(turn_);
        if (limited(count) == num_workers()) return;
        stop();
        start(count);
    }

    void run(int64_t count, Task task, void* context) {
        std::lock_guard<std::mutex> turn(turn_);
        if (count <= 1 || threads_.empty()) {
            for (int64_t index = 0; index < count; ++index) task(context, index, 0);
            return;
        }
        publish(static_cast<uint32_t>(count), task, context);
        work(0);
        wait_for_others();
    }

    void* scratch(int worker, int slot, int64_t bytes) {
        return desks_[worker].slots[slot].at_least(bytes);
    }

   private:
    // A ticket is the number of the job above and how many of its indices nobody has claimed below.
    // Whoever changes it by compare-and-swap holds indices of the very job whose fields it has
    // read.
    static constexpr uint64_t LEFT = 0xffffffffu;

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

    void publish(uint32_t count, Task task, void* context) {
        task_.store(task, std::memory_order_relaxed);
        context_.store(context, std::memory_order_relaxed);
        count_.store(count, std::memory_order_relaxed);
        unfinished_.store(count, std::memory_order_relaxed);
        const uint64_t job = (ticket_.load(std::memory_order_relaxed) >> 32) + 1;
        ticket_.store(job << 32 | count);
        ++signal_;
        if (const int asleep = sleepers_.load())
            wake_sleepers(signal_, std::min<int64_t>(asleep, count - 1));
    }

    // Claim and do indices until none is left.
    void work(int worker) {
        uint64_t ticket = ticket_.load(std::memory_order_acquire);
        while (const uint32_t left = ticket & LEFT) {
            const Task task = task_.load(std::memory_order_relaxed);
            void* context = context_.load(std::memory_order_relaxed);
            const uint32_t first = count_.load(std::memory_order_relaxed) - left;
            const uint32_t taken = std::max(1u, left / (CHUNKS * num_workers()));
            if (!ticket_.compare_exchange_weak(ticket, ticket - taken, std::memory_order_acq_rel,
                                               std::memory_order_acquire))
                continue;
            for (uint32_t i = 0; i < taken; ++i) task(context, first + i, worker);
            if (unfinished_.fetch_sub(taken) == taken && is_caller_asleep_.load())
                wake_sleepers(unfinished_, 1);
            ticket = ticket_.load(std::memory_order_acquire);
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
        const auto is_wanted = [this] {
            return (ticket_.load(std::memory_order_acquire) & LEFT) != 0 || is_stopping_.load();
        };
        while (!is_stopping_.load()) {
            work(worker);
            if (spin_until(is_wanted)) continue;
            const uint32_t seen = signal_.load();
            ++sleepers_;
            if (!is_wanted()) sleep_while(signal_, seen);
            --sleepers_;
        }
    }

    alignas(64) std::atomic<uint64_t> ticket_{0};
    std::atomic<Task> task_{nullptr};
    std::atomic<void*> context_{nullptr};
    std::atomic<uint32_t> count_{0};
    std::atomic<int> num_workers_{1};
    alignas(64) std::atomic<uint32_t> unfinished_{0};
    std::atomic<bool> is_caller_asleep_{false};
    alignas(64) std::atomic<uint32_t> signal_{0};
    std::atomic<int> sleepers_{0};
    std::atomic<bool> is_stopping_{false};
    alignas(64) std::mutex turn_;
    std::vector<std::thread> threads_;
    std::vector<Desk> desks_;
};

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

int num_workers() { return pool().num_workers(); }

void set_workers(int count) {
    wanted_workers = count;
    pool().resize(count);
}

void run_tasks(int64_t count, Task task, void* context) {
    assert(count <= MOST_INDICES && "more indices than a ticket can hold");
    pool().run(count, task, context);
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
