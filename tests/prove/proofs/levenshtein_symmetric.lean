namespace Levenshtein

def distance {α : Type} [DecidableEq α] : List α → List α → Nat
  | [], ys => ys.length
  | x :: xs, [] => xs.length + 1
  | x :: xs, y :: ys =>
    if x = y then distance xs ys
    else 1 + min (distance xs ys) (min (distance (x :: xs) ys) (distance xs (y :: ys)))
termination_by xs ys => xs.length + ys.length

theorem distance_comm {α : Type} [DecidableEq α] (xs ys : List α) :
    distance xs ys = distance ys xs := by
  fun_induction distance xs ys with
  | case1 ys => cases ys <;> simp [distance]
  | case2 x xs => simp [distance]
  | case3 x xs ys ih => simp [distance, ih]
  | case4 x xs y ys hne ih1 ih2 ih3 =>
    have hne' : ¬ y = x := fun h => hne h.symm
    rw [distance, if_neg hne', ih1, ih2, ih3]
    omega

theorem distance_eq_zero {α : Type} [DecidableEq α] (xs ys : List α) :
    distance xs ys = 0 ↔ xs = ys := by
  fun_induction distance xs ys with
  | case1 ys => cases ys <;> simp
  | case2 x xs => simp
  | case3 x xs ys ih => simp [ih]
  | case4 x xs y ys hne ih1 ih2 ih3 =>
    constructor
    · omega
    · intro h
      exact absurd (List.cons.inj h).1 hne

theorem distance_le {α : Type} [DecidableEq α] (xs ys : List α) :
    distance xs ys ≤ max xs.length ys.length := by
  fun_induction distance xs ys <;> simp_all <;> omega

end Levenshtein
