namespace Levenshtein

def distance {α : Type} [DecidableEq α] : List α → List α → Nat
  | [], ys => ys.length
  | x :: xs, [] => xs.length + 1
  | x :: xs, y :: ys =>
    if x = y then distance xs ys
    else 1 + min (distance xs ys) (min (distance (x :: xs) ys) (distance xs (y :: ys)))
termination_by xs ys => xs.length + ys.length

theorem distance_comm {α : Type} [DecidableEq α] (xs ys : List α) :
    distance xs ys = distance ys xs := sorry

theorem distance_eq_zero {α : Type} [DecidableEq α] (xs ys : List α) :
    distance xs ys = 0 ↔ xs = ys := sorry

theorem distance_le {α : Type} [DecidableEq α] (xs ys : List α) :
    distance xs ys ≤ max xs.length ys.length := sorry

end Levenshtein
