//! Notices continuation tokens that come again.

use remote::types::ContinuationToken;

/// Remembers one token and moves it ahead in growing strides (Brent's cycle finding), so that a
/// circle of any length is noticed within three rounds, in constant memory.
#[derive(Debug, Default)]
pub(super) struct TokenWatch {
    mark: Option<ContinuationToken>,
    steps: u64,
    stride: u64,
}

impl TokenWatch {
    /// Takes the next token; whether it is the one remembered.
    pub(super) fn repeats(&mut self, next: &ContinuationToken) -> bool {
        if self.mark.as_ref() == Some(next) {
            return true;
        }
        self.steps += 1;
        if self.steps >= self.stride {
            self.mark = Some(next.clone());
            self.steps = 0;
            self.stride = (self.stride * 2).max(1);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_of_any_length_are_noticed_and_straight_lines_are_not() {
        for length in 1..40_u32 {
            let mut watch = TokenWatch::default();
            // A run-in of five, then a circle.
            let token = |step: u32| {
                let at = if step < 5 {
                    step
                } else {
                    5 + (step - 5) % length
                };
                ContinuationToken(at.to_string())
            };
            let noticed = (0..1_000).find(|step| watch.repeats(&token(*step)));
            assert!(
                noticed.is_some_and(|step| step <= 5 + 4 * length + 64),
                "{length}"
            );
        }
        let mut watch = TokenWatch::default();
        assert!((0..10_000).all(|step| !watch.repeats(&ContinuationToken(step.to_string()))));
    }
}
