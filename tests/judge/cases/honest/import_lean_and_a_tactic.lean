import Lean

def double (n : Nat) : Nat := n + n

open Lean in
macro "my_omega" : tactic => `(tactic| omega)

theorem double_even (n : Nat) : double n % 2 = 0 := by
  unfold double
  my_omega
