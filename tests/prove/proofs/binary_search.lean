namespace BinarySearch

/-- Search for `key` in the half-open index range `[lo, hi)` of the table `a`. -/
def search (a : Nat → Int) (key : Int) (lo hi : Nat) : Option Nat :=
  if h : lo < hi then
    let mid := lo + (hi - lo) / 2
    if a mid = key then some mid
    else if a mid < key then search a key (mid + 1) hi
    else search a key lo mid
  else none
termination_by hi - lo
decreasing_by all_goals omega

theorem search_empty (a : Nat → Int) (key : Int) (lo hi : Nat) (h : ¬lo < hi) :
    search a key lo hi = none := by
  rw [search, dif_neg h]

theorem search_step (a : Nat → Int) (key : Int) (lo hi : Nat) (h : lo < hi) :
    search a key lo hi =
      if a (lo + (hi - lo) / 2) = key then some (lo + (hi - lo) / 2)
      else if a (lo + (hi - lo) / 2) < key then search a key (lo + (hi - lo) / 2 + 1) hi
      else search a key lo (lo + (hi - lo) / 2) := by
  rw [search, dif_pos h]

theorem sound_upto (a : Nat → Int) (key : Int) (i n : Nat) :
    ∀ lo hi, hi - lo ≤ n → search a key lo hi = some i → lo ≤ i ∧ i < hi ∧ a i = key := by
  induction n with
  | zero =>
    intro lo hi hn h
    rw [search_empty a key lo hi (by omega)] at h
    cases h
  | succ n ih =>
    intro lo hi hn h
    by_cases hlt : lo < hi
    · rw [search_step a key lo hi hlt] at h
      generalize hm : lo + (hi - lo) / 2 = mid at h
      split at h
      · rename_i hkey
        have e := Option.some.inj h
        exact ⟨by omega, by omega, e ▸ hkey⟩
      · split at h
        · have := ih _ _ (by omega) h
          exact ⟨by omega, this.2.1, this.2.2⟩
        · have := ih _ _ (by omega) h
          exact ⟨this.1, by omega, this.2.2⟩
    · rw [search_empty a key lo hi hlt] at h
      cases h

theorem complete_upto (a : Nat → Int) (key : Int) (n : Nat) :
    ∀ lo hi, hi - lo ≤ n → (∀ i j, lo ≤ i → i ≤ j → j < hi → a i ≤ a j) →
      search a key lo hi = none → ∀ i, lo ≤ i → i < hi → a i ≠ key := by
  induction n with
  | zero =>
    intro lo hi hn _ _ i h1 h2
    omega
  | succ n ih =>
    intro lo hi hn mono h i h1 h2
    rw [search_step a key lo hi (by omega)] at h
    generalize hm : lo + (hi - lo) / 2 = mid at h
    split at h
    · cases h
    · split at h
      · by_cases hi' : i ≤ mid
        · have := mono i mid h1 hi' (by omega)
          omega
        · exact ih _ _ (by omega) (fun j k hj => mono j k (by omega)) h i (by omega) h2
      · by_cases hi' : i < mid
        · exact ih _ _ (by omega) (fun j k hj hk hk' => mono j k hj hk (by omega)) h i h1 hi'
        · have := mono mid i (by omega) (by omega) h2
          omega

theorem search_sound (a : Nat → Int) (key : Int) (lo hi i : Nat)
    (h : search a key lo hi = some i) : lo ≤ i ∧ i < hi ∧ a i = key :=
  sound_upto a key i (hi - lo) lo hi (Nat.le_refl _) h

theorem search_complete (a : Nat → Int) (key : Int) (lo hi : Nat)
    (mono : ∀ i j, lo ≤ i → i ≤ j → j < hi → a i ≤ a j)
    (h : search a key lo hi = none) : ∀ i, lo ≤ i → i < hi → a i ≠ key :=
  complete_upto a key (hi - lo) lo hi (Nat.le_refl _) mono h

end BinarySearch
