mutual
inductive Ev : Nat → Prop
  | zero : Ev 0
  | succ {n} : Od n → Ev (n + 1)
inductive Od : Nat → Prop
  | succ {n} : Ev n → Od (n + 1)
end
mutual
theorem ev_even (n : Nat) (h : Ev n) : n % 2 = 0 := by
  match h with
  | .zero => rfl
  | .succ k => have := od_odd _ k; omega
theorem od_odd (n : Nat) (h : Od n) : n % 2 = 1 := by
  match h with
  | .succ k => have := ev_even _ k; omega
end
