namespace FibIter

def fib : Nat → Nat
  | 0 => 0
  | 1 => 1
  | n + 2 => fib n + fib (n + 1)

def loop : Nat → Nat → Nat → Nat
  | 0, a, _ => a
  | n + 1, a, b => loop n b (a + b)

def fibFast (n : Nat) : Nat := loop n 0 1

theorem loop_fib (n k : Nat) : loop n (fib k) (fib (k + 1)) = fib (k + n) := by
  induction n generalizing k with
  | zero => rfl
  | succ n ih =>
    have h : fib (k + 1 + 1) = fib k + fib (k + 1) := by rw [fib]
    rw [loop, ← h, ih (k + 1)]
    congr 1
    omega

theorem fibFast_correct (n : Nat) : fibFast n = fib n := by
  simpa [fibFast, fib] using loop_fib n 0

end FibIter
