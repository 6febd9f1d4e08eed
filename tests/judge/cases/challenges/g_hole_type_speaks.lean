def Bound (n : Nat) : Nat := n + 1
def f (n : Nat) : Fin (Bound n) := sorry
theorem t (n : Nat) : (f n).val = n := sorry
