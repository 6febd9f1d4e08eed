def fib : Nat → Nat
  | 0 => 0
  | 1 => 1
  | n + 2 => fib n + fib (n + 1) + 1

theorem fib_pos (n : Nat) : 0 < fib (n + 1) := by
  induction n with
  | zero => simp [fib]
  | succ n ih => simp only [fib]; omega
