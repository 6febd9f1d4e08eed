namespace FibIter

def fib : Nat → Nat
  | 0 => 0
  | 1 => 1
  | n + 2 => fib n + fib (n + 1)

def loop : Nat → Nat → Nat → Nat
  | 0, a, _ => a
  | n + 1, a, b => loop n b (a + b)

def fibFast (n : Nat) : Nat := loop n 0 1

theorem fibFast_correct (n : Nat) : fibFast n = fib n := by
  have h : ∀ n k, loop n (fib k) (fib (k + 1)) = fib (k + n) := by
    intro n
    induction n with
    | zero => intro k; rfl
    | succ n ih =>
      intro k
      have := ih (k + 1)
      simp only [loop]
      rw [show fib k + fib (k + 1) = fib (k + 1 + 1) from rfl, this]
      congr 1
      omega
  have := h n 0
  simpa [fibFast] using this

end FibIter
