namespace PrefixSums

def go (acc : Int) : List Int → List Int
  | [] => []
  | x :: xs => (acc + x) :: go (acc + x) xs

def prefixSums (xs : List Int) : List Int := go 0 xs

def total : List Int → Int
  | [] => 0
  | x :: xs => x + total xs

theorem go_get (acc : Int) (xs : List Int) (i : Nat) (h : i < xs.length) :
    (go acc xs)[i]? = some (acc + total (xs.take (i + 1))) := by
  induction xs generalizing acc i with
  | nil => simp at h
  | cons x xs ih =>
    cases i with
    | zero => simp [go, total]
    | succ i =>
      have := ih (acc + x) i (by simpa using h)
      simp [go, total, this, Int.add_assoc]

theorem total_append (xs ys : List Int) : total (xs ++ ys) = total xs + total ys := by
  induction xs with
  | nil => simp [total]
  | cons x xs ih => simp [total, ih, Int.add_assoc]

theorem length_prefixSums (xs : List Int) : (prefixSums xs).length = xs.length := by
  have : ∀ acc, (go acc xs).length = xs.length := by
    induction xs with
    | nil => simp [go]
    | cons x xs ih => simp [go, ih]
  exact this 0

theorem prefixSums_get (xs : List Int) (i : Nat) (h : i < xs.length) :
    (prefixSums xs)[i]? = some (total (xs.take (i + 1))) := by
  simpa using go_get 0 xs i h

theorem range_query (xs : List Int) (i j : Nat) (a b : Int) (hij : i ≤ j)
    (ha : (prefixSums xs)[i]? = some a) (hb : (prefixSums xs)[j]? = some b) :
    b - a = total ((xs.take (j + 1)).drop (i + 1)) := by
  have hj : j < xs.length := by
    have := (List.getElem?_eq_some_iff.mp hb).1
    rwa [length_prefixSums] at this
  rw [prefixSums_get xs j hj] at hb
  rw [prefixSums_get xs i (by omega)] at ha
  cases ha
  cases hb
  have split := total_append ((xs.take (j + 1)).take (i + 1)) ((xs.take (j + 1)).drop (i + 1))
  rw [List.take_append_drop, List.take_take, Nat.min_eq_left (by omega)] at split
  omega

end PrefixSums
