namespace InsertionSort

def insert (x : Nat) : List Nat → List Nat
  | [] => [x]
  | y :: ys => if x ≤ y then x :: y :: ys else y :: insert x ys

def isort : List Nat → List Nat
  | [] => []
  | x :: xs => insert x (isort xs)

def Sorted : List Nat → Prop
  | [] => True
  | [_] => True
  | x :: y :: rest => x ≤ y ∧ Sorted (y :: rest)

theorem insert_sorted (x : Nat) (ys : List Nat) (hs : Sorted ys) : Sorted (insert x ys) := by
  induction ys with
  | nil => simp [insert, Sorted]
  | cons y ys ih =>
    by_cases h : x ≤ y
    · simp only [insert, if_pos h]
      exact And.intro h hs
    · simp only [insert, if_neg h]
      cases ys with
      | nil =>
        show y ≤ x ∧ True
        exact ⟨by omega, trivial⟩
      | cons z zs =>
        have hs' : y ≤ z ∧ Sorted (z :: zs) := hs
        have ih' := ih hs'.2
        by_cases h2 : x ≤ z
        · simp only [insert, if_pos h2] at ih' ⊢
          exact And.intro (by omega) ih'
        · simp only [insert, if_neg h2] at ih' ⊢
          exact And.intro hs'.1 ih'

theorem insert_perm (x : Nat) (ys : List Nat) : (insert x ys).Perm (x :: ys) := by
  induction ys with
  | nil => simp [insert]
  | cons y ys ih =>
    by_cases h : x ≤ y
    · simp [insert, h]
    · simp only [insert, if_neg h]
      exact (ih.cons y).trans (.swap x y ys)

theorem isort_sorted (xs : List Nat) : Sorted (isort xs) := by
  induction xs with
  | nil => trivial
  | cons x xs ih => exact insert_sorted x _ ih

theorem isort_perm (xs : List Nat) : (isort xs).Perm xs := by
  induction xs with
  | nil => exact .refl _
  | cons x xs ih => exact (insert_perm x _).trans (ih.cons x)

end InsertionSort
