def double (n : Nat) : Nat := n + n

macro "by_unfolding" : tactic => `(tactic| (unfold double; omega))

syntax "finish" : tactic
macro_rules | `(tactic| finish) => `(tactic| by_unfolding)

attribute [local simp] double

theorem double_even (n : Nat) : double n % 2 = 0 := by finish

theorem double_even_twice (n : Nat) : double (double n) % 2 = 0 := by grind [double]

theorem double_add (m n : Nat) : double (m + n) = double m + double n := by
  grind [double]
