def Bound (n : Nat) : Nat := n + 1
def f (n : Nat) : Fin (Bound n) := ⟨n, Nat.lt_succ_self n⟩
theorem t (n : Nat) : (f n).val = n := rfl
